import { z } from 'zod'
import { defineComponent } from '../component.ts'

export const label = defineComponent({
  name: 'label',
  options: z.strictObject({
    /** How many classes the page shows, best first; 10 when not set. */
    top: z.int().min(1).max(1000).optional(),
  }),
  /** Class → confidence. 0 to 1 is shown as a percentage. */
  value: () => z.record(z.string(), z.number()),
  expects: 'confidences by class',
  python: 'dict[str, float]',
  typescript: 'Record<string, number>',
  input: false,
  output: true,
})
