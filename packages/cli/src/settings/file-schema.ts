import { z } from 'zod'
import { keys } from './keys.ts'
import type { Kind } from './kinds.ts'
import { limits } from './limits.ts'

/** A setting in the form of the tables: `port`, `daemon.url`, `limits.waiting`. */
export interface Row {
  readonly name: string
  readonly kind: Kind<unknown>
  readonly default: unknown
  readonly meaning: string
  readonly live: boolean
}

/** All settings, the limits last. */
export const rows: readonly Row[] = [
  ...Object.entries(keys).map(([name, { kind, default: standard, meaning, live = false }]) => ({
    name,
    kind: kind as Kind<unknown>,
    default: standard as unknown,
    meaning,
    live,
  })),
  ...limits.map((limit) => ({ ...limit, name: `limits.${limit.name}`, live: true })),
]

/**
 * The schema of `origami.yaml`. Relative paths in it start at its folder. A section that contains only comments is null
 * in YAML, and counts as empty.
 */
export function fileSchema(folder: string) {
  const groups = Map.groupBy(rows, ({ name }) => (name.includes('.') ? name.slice(0, name.indexOf('.')) : ''))
  const shapeOf = (members: readonly Row[]) =>
    Object.fromEntries(members.map(({ name, kind }) => [name.slice(name.indexOf('.') + 1), written(kind, folder)]))
  const nested = [...groups].filter(([group]) => group !== '')
  return z.strictObject({
    ...shapeOf(groups.get('') ?? []),
    ...Object.fromEntries(nested.map(([group, members]) => [group, z.strictObject(shapeOf(members)).nullish()])),
  })
}

function written(kind: Kind<unknown>, folder: string) {
  return z
    .unknown()
    .transform((value, context) => {
      try {
        return kind.read(value, folder)
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : String(error))
        return z.NEVER
      }
    })
    .optional()
}
