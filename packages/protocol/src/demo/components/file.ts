import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { type FileRef, parseFileRef } from '../ids.ts'

/** A file in JSON. The HTTP adapters replace URLs and data URIs by references before a prediction is validated. */
export const fileValue = z.custom<FileRef>((value) => typeof value === 'string' && parseFileRef(value) !== undefined)

/** Options of every component whose value is a file. */
const fileOptions = {
  /** The largest file in bytes. By default it is the server's own limit. */
  maxBytes: z.int().positive().optional(),
}

/** Options of every component whose value is a picture. */
export const imageOptions = {
  ...fileOptions,
  /** The most pixels, width times height, since a small file can hold many. The default is 64 million. */
  maxPixels: z.int().positive().optional(),
}

export const file = defineComponent({
  name: 'file',
  options: z.strictObject({
    ...fileOptions,
    /** The types that a file picker offers, as in HTML: `.csv,application/pdf`. */
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
