import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const markdown = defineComponent({
  name: 'markdown',
  options: z.strictObject({}),
  value: () => z.string().max(1_000_000),
  expects: 'Markdown text',
  python: 'str',
  typescript: 'string',
  input: false,
  output: true,
  grows: true,
})
