import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { fileValue, imageOptions } from './file.ts'

export const image = defineComponent({
  name: 'image',
  options: z.strictObject(imageOptions),
  value: () => fileValue,
  file: 'image/*',
  expects: 'an image: an uploaded file, a data: URI or a public http(s) URL',
  python: 'PIL.Image.Image',
  typescript: 'ModelFile',
  input: true,
  output: true,
})
