import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { fileOptions, fileValue } from './file.ts'

export const sketch = defineComponent({
  name: 'sketch',
  options: z.strictObject({
    ...fileOptions,
    /** Pixels of the picture that the model gets; 280 × 280 when not set. */
    width: z.int().min(16).max(4096).optional(),
    height: z.int().min(16).max(4096).optional(),
    /** Pixels of the picture. */
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
