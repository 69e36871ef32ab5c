import { type FileRef, parseFileRef } from '@origami/protocol/demo'

/** The URL of a file under `base`, for callers. Without a base the reference stays as it is. */
export const fileAddress = (base: string, ref: FileRef): string => (base === '' ? ref : `${base}/${ref}`)

/** The reverse: the reference in a text that is one, or is a URL under `base`. Undefined: it is neither. */
export function refOf(base: string, text: string): FileRef | undefined {
  const under = `${base}/`
  return parseFileRef(base !== '' && text.startsWith(under) ? text.slice(under.length) : text)?.ref
}
