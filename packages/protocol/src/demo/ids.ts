declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** md5(user_id + canonical repository link), 32 hex digits. It is a name and never authorises anything. */
export type DemoId = Branded<'DemoId'>
export type DeploymentId = Branded<'DeploymentId'>
/**
 * 8 to 64 characters of `A-Z a-z 0-9 _ -`. Ours carry 128 random bits or more. Whoever knows one may read the
 * prediction.
 */
export type PredictionId = Branded<'PredictionId'>
/** Identifies the caller of a demo: a signed cookie, an account or a token, as an opaque string. */
export type VisitorId = Branded<'VisitorId'>
/** `files/<id>/<name>`, relative to the address of a demo's predictions API. The name is percent-encoded. */
export type FileRef = Branded<'FileRef'>

const demoId = /^[0-9a-f]{32}$/
const deploymentId = /^[a-z2-7]{26}$/
const predictionId = /^[A-Za-z0-9_-]{8,64}$/
const fileId = /^[A-Za-z0-9_-]{16,64}$/
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Random bytes for the next ids: to ask for a few costs as much as to ask for many. */
const randomBytes = new Uint8Array(26 * 64)
let nextByte = randomBytes.length

/** A random id of 26 characters of base32, which are 130 random bits. */
export function randomId(): string {
  if (nextByte === randomBytes.length) {
    crypto.getRandomValues(randomBytes)
    nextByte = 0
  }
  let id = ''
  for (const end = nextByte + 26; nextByte < end; nextByte += 1)
    id += alphabet.charAt((randomBytes[nextByte] ?? 0) % 32)
  return id
}

export const newPredictionId = (): PredictionId => randomId() as PredictionId
export const isDemoId = (text: string): text is DemoId => demoId.test(text)
export const isDeploymentId = (text: string): text is DeploymentId => deploymentId.test(text)
export const isVisitorId = (text: string): text is VisitorId => text.length >= 1 && text.length <= 200
export const isPredictionId = (text: string): text is PredictionId => predictionId.test(text)

/** What the id of a caller begins with who came without a cookie or a token, and is known by an address alone. */
export const addressPrefix = 'ip-'
/** Whether this is a caller without cookie and token, who cannot be told from others of that address. */
export const isNameless = (visitor: VisitorId): boolean => visitor.startsWith(addressPrefix)

/** Checks that a text can be the id of a visitor. Throws RangeError when it cannot. */
export function visitorId(text: string): VisitorId {
  if (!isVisitorId(text)) throw new RangeError(`a visitor's id is 1 to 200 characters, got ${text.length}`)
  return text
}

/** The reference of the file `name` under the caller's own `id`. Throws RangeError when either is not valid. */
export function fileRef(id: string, name: string): FileRef {
  if (!fileId.test(id)) throw new RangeError(`a file id is 16 to 64 of A-Z a-z 0-9 _ -, got ${JSON.stringify(id)}`)
  if (!isFileName(name))
    throw new RangeError(`a file name is 1 to 200 characters without / or \\, got ${JSON.stringify(name)}`)
  return `files/${id}/${encodeURIComponent(name)}` as FileRef
}

/** The parts of a reference. Undefined when the text is none. */
export function parseFileRef(text: string): { id: string; name: string; ref: FileRef } | undefined {
  // Most texts are none, and some are long.
  if (!text.startsWith('files/')) return undefined
  const [, id, encoded, ...more] = text.split('/')
  if (!id || !encoded || more.length > 0 || !fileId.test(id)) return undefined
  const name = decode(encoded)
  return name !== undefined && isFileName(name) ? { id, name, ref: fileRef(id, name) } : undefined
}

function isFileName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  const refused = /[/\\\u0000-\u001f\u007f]/
  const isPath = name === '.' || name === '..' || refused.test(name)
  return name.length >= 1 && name.length <= 200 && name.isWellFormed() && !isPath
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // The text is not encoded correctly.
    return undefined
  }
}
