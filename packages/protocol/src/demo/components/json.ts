import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const json = defineComponent({
  name: 'json',
  options: z.strictObject({}),
  value: () => z.json(),
  expects: 'any JSON',
  python: 'dict | list',
  typescript: 'unknown',
  input: true,
  output: true,
})
