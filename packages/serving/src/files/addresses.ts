import { type FileRef, parseFileRef } from '@origami/protocol/demo'

/**
 * Where a caller finds a file, under `base`: what is given out at the edge. Without a base a reference stays what it
 * is.
 */
export const fileAddress = (base: string, ref: FileRef): string => (base === '' ? ref : `${base}/${ref}`)

/** The reverse: the reference that a text is, or that stands in it under `base`. Undefined: it is neither. */
export function refOf(base: string, text: string): FileRef | undefined {
  const under = `${base}/`
  return parseFileRef(base !== '' && text.startsWith(under) ? text.slice(under.length) : text)?.ref
}
