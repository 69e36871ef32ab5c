import { z } from 'zod'
import { defineComponent } from '../component.ts'
import { boundedNumber } from './number.ts'

export const slider = defineComponent({
  name: 'slider',
  options: z
    .strictObject({
      min: z.number(),
      max: z.number(),
      step: z.number().positive().optional(),
      integer: z.boolean().optional(),
    })
    .refine((bounds) => bounds.min < bounds.max, { error: 'a slider needs min below max' }),
  value: (options) => boundedNumber(options),
  expects: 'a number',
  python: 'float',
  typescript: 'number',
  input: true,
  output: false,
})
