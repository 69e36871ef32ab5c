import { z } from 'zod'
import { defineComponent } from '../component.ts'

const any = z.json()

/** The deepest nesting of a value: the limit of a body (64) less the levels around the value. */
const deepest = 60

export const json = defineComponent({
  name: 'json',
  options: z.strictObject({}),
  value: () => z.custom<z.infer<typeof any>>((value) => isShallow(value) && any.safeParse(value).success),
  expects: `JSON nested at most ${deepest} deep`,
  python: 'dict | list',
  typescript: 'unknown',
  input: true,
  output: true,
})

function isShallow(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; depth < deepest; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0) return true
  }
  return false
}
