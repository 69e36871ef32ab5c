import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { type FileRef, parseFileRef } from '../ids.ts'

/** A file on the wire. The HTTP adapters turn URLs and data URIs into one before a prediction is validated. */
export const fileValue = z.custom<FileRef>((value) => typeof value === 'string' && parseFileRef(value) !== undefined)

/** Options of every component whose value is a file. */
export const fileOptions = {
  /** Bytes; the server's own limit when not set. */
  maxBytes: z.int().positive().optional(),
}

export const file = defineComponent({
  name: 'file',
  options: z.strictObject({
    ...fileOptions,
    /** What a file picker offers, as in HTML: `.csv,application/pdf`. */
    accept: z.string().max(500).optional(),
  }),
  value: () => fileValue,
  file: '*/*',
  expects: 'a file: an uploaded file, a data: URI or a public http(s) URL',
  python: 'pathlib.Path',
  typescript: 'ModelFile',
  input: true,
  output: true,
})
