import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const checkbox = defineComponent({
  name: 'checkbox',
  options: z.strictObject({}),
  value: () => z.boolean(),
  expects: 'true or false',
  python: 'bool',
  typescript: 'boolean',
  input: true,
  output: true,
})
