import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const text = defineComponent({
  name: 'text',
  options: z.strictObject({
    multiline: z.boolean().optional(),
    placeholder: z.string().max(200).optional(),
    minLength: z.int().min(0).optional(),
    /** The longest text in characters. The default is 100 000. */
    maxLength: z.int().min(1).optional(),
  }),
  value: (options) =>
    z
      .string()
      .min(options.minLength ?? 0)
      .max(options.maxLength ?? 100_000),
  expects: 'text',
  python: 'str',
  typescript: 'string',
  input: true,
  output: true,
  grows: true,
})
