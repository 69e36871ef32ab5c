import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const label = defineComponent({
  name: 'label',
  options: z.strictObject({
    /** How many classes the page shows, best first. The default is 10. */
    top: z.int().min(1).max(1000).optional(),
  }),
  /** The confidence of each class. Values from 0 to 1 are shown as percentages. */
  value: () => z.record(z.string(), z.number()),
  expects: 'confidences by class',
  python: 'dict[str, float]',
  typescript: 'Record<string, number>',
  input: false,
  output: true,
})
