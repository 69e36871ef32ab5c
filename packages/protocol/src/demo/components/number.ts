import { z } from 'zod'
import { defineComponent } from '../component.ts'

const options = z.strictObject({
  min: z.number().optional(),
  max: z.number().optional(),
  step: z.number().positive().optional(),
  /** Allows whole numbers only. */
  integer: z.boolean().optional(),
})

/** The schema of a finite number within the options' bounds. */
export function boundedNumber(bounds: {
  min?: number | undefined
  max?: number | undefined
  integer?: boolean | undefined
}) {
  let value: z.ZodNumber = bounds.integer ? z.int() : z.number()
  if (bounds.min !== undefined) value = value.min(bounds.min)
  if (bounds.max !== undefined) value = value.max(bounds.max)
  return value
}

export const number = defineComponent({
  name: 'number',
  options,
  value: (options) => boundedNumber(options),
  expects: 'a number',
  python: 'float',
  typescript: 'number',
  input: true,
  output: true,
})
