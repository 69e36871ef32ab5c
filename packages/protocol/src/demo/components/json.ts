import { z } from 'zod'
import { defineComponent } from '../component.ts'

const any = z.json()

/** Levels of objects and arrays. Parsers recurse: Python's gives up at a thousand. */
const deepest = 200

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
