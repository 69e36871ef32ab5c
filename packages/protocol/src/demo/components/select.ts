import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const select = defineComponent({
  name: 'select',
  options: z.strictObject({
    /** The choices in the order of the page. Numbers stay numbers. */
    choices: z
      .array(z.union([z.string(), z.number()]))
      .min(1)
      .max(1000),
  }),
  value: (options) => z.literal(options.choices),
  expects: 'one of the choices',
  python: 'Literal | Enum',
  typescript: 'string | number',
  input: true,
  output: false,
})
