import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { fileValue, imageOptions } from './file.ts'

export const sketch = defineComponent({
  name: 'sketch',
  options: z.strictObject({
    ...imageOptions,
    /** The size in pixels of the picture that the model gets. The default is 280 × 280. */
    width: z.int().min(16).max(4096).optional(),
    height: z.int().min(16).max(4096).optional(),
    /** The width of the brush in pixels of the picture. */
    brush: z.number().min(1).max(200).optional(),
  }),
  value: () => fileValue,
  file: 'image/*',
  expects: 'a drawing: an image, black on white',
  python: 'PIL.Image.Image',
  typescript: 'ModelFile',
  input: true,
  output: false,
})
