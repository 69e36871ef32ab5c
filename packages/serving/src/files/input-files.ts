import { type DemoSchema, fileRef, type Input, Invalid, isFileComponent } from '@origami/protocol/demo'
import type { Files } from '../predictor.ts'
import { refOf } from './addresses.ts'
import { fileTooLarge } from './folder-files.ts'
import { type FetchBounds, fetchPublic, type RemoteFile } from './remote.ts'

export const hasFiles = ({ inputs }: DemoSchema): boolean => inputs.some(({ component }) => isFileComponent(component))

/**
 * Replaces what callers may write for a file (an address of this server, a `data:` URI, a public URL) by FileRefs.
 * Everything else is left to validation. `leaving`, which is
 * called only for what is fetched, gives the signal that ends fetches. Throws Invalid.
 */
export async function resolveInputFiles(
  schema: DemoSchema,
  input: Input,
  files: Files,
  {
    base,
    remote,
    maxFileBytes,
    leaving,
  }: { base: string; remote: FetchBounds | false; maxFileBytes: number; leaving: () => AbortSignal },
): Promise<Input> {
  const resolved = { ...input }
  for (const { name, component } of schema.inputs) {
    const value = input[name]
    if (isFileComponent(component) && typeof value === 'string') resolved[name] = await resolve(name, value)
  }
  return resolved

  async function resolve(field: string, value: string): Promise<string> {
    const own = refOf(base, value)
    if (own) return own
    try {
      if (value.startsWith('data:')) return await store(readDataUri(value, maxFileBytes))
      if (remote && /^https?:\/\//.test(value))
        return await store(await fetchPublic(new URL(value), [], { ...remote, signal: leaving() }))
    } catch (error) {
      if (error instanceof Invalid) throw new Invalid(error.problems.map((problem) => ({ ...problem, field })))
      throw new Invalid([
        {
          field,
          type: 'value_error',
          message: `could not be fetched: ${error instanceof Error ? error.message : error}`,
        },
      ])
    }
    return value
  }

  async function store(file: RemoteFile): Promise<string> {
    const id = crypto.randomUUID().replaceAll('-', '')
    return files.put(id, safeName(file.name), file.type, file.bytes)
  }
}

/** Parses a data URI (RFC 2397). Throws Error when it is none, Invalid when it holds more than `limit` bytes. */
function readDataUri(uri: string, limit: number): RemoteFile {
  const match = /^data:([^;,]*)((?:;[^;,]*)*),(.*)$/s.exec(uri)
  if (!match) throw new Error('not a data: URI')
  const [, type = '', parameters = '', data = ''] = match
  const bytes = parameters.endsWith(';base64') ? Buffer.from(data, 'base64') : Buffer.from(decodeURIComponent(data))
  if (bytes.length > limit) throw fileTooLarge(limit, bytes.length)
  return { name: `file.${type.split('/')[1]?.replace(/\W.*/, '') || 'bin'}`, type, bytes: once(bytes) }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

function safeName(name: string): string {
  try {
    fileRef('0'.repeat(32), name)
    return name
  } catch {
    // A file reference cannot contain this name.
    return 'file'
  }
}
