import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'

const size = z
  .string()
  .regex(/^[1-9][0-9]{0,6}[kmg]$/i, 'expected a size such as 512m or 2g')
  .transform((text) => Number.parseInt(text, 10) * 1024 ** (1 + 'kmg'.indexOf(text.slice(-1).toLowerCase())))

/** The keys of `.origami`, each optional. Memory comes out in bytes, times in seconds. */
export const manifestSchema = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  description: z.string().max(10_000).optional(),
  /** Predictions one instance takes at a time; the model's own setting when absent. */
  concurrency: z.int().min(1).max(64).optional(),
  /** `swap`: the new version answers before the old one stops. `recreate`: for demos that cannot run twice. */
  strategy: z.enum(['swap', 'recreate']).default('swap'),
  memory: size.optional(),
  cpus: z.number().positive().max(256).optional(),
  /** Where the demo listens inside its container. */
  port: z.int().min(1).max(65_535).default(6000),
  /** Seconds from start to READY. */
  ready_within: z.int().min(1).max(3600).default(120),
  /** Seconds one prediction may run; the operator may set a lower ceiling. */
  timeout: z.int().min(1).max(86_400).default(600),
})
export type Manifest = z.infer<typeof manifestSchema>

/** A `.origami` that cannot be read. The message has line, column and what would be right. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** Reads the text of `.origami`; an empty one is all defaults. Throws ManifestError. */
export function parseManifest(text: string): Manifest {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, maxAliasCount: 0 } as never)
  const where = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `.origami line ${line}, column ${col}`
  }
  const [broken] = document.errors
  if (broken) throw new ManifestError(`${where(broken.pos[0])}: ${broken.message}`)
  const value: unknown = document.toJS() ?? {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ManifestError(`${where(0)}: expected keys and values, such as "title: My demo"`)
  const parsed = manifestSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  if (!issue) throw new ManifestError('.origami: not understood')
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    throw new ManifestError(
      `${where(keyOffset(document, key))}: unknown key ${JSON.stringify(key)}; did you mean ${nearest(key)}?`,
    )
  }
  const key = String(issue.path[0] ?? '')
  throw new ManifestError(`${where(keyOffset(document, key))}: ${key}: ${issue.message}`)
}

function keyOffset(document: ReturnType<typeof parseDocument>, key: string): number {
  const contents = document.contents as { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] } | null
  return contents?.items?.find((item) => item.key?.value === key)?.key?.range?.[0] ?? 0
}

function nearest(key: string): string {
  const keys = Object.keys(manifestSchema.shape)
  const [best = ''] = keys.toSorted((a, b) => distance(key, a) - distance(key, b))
  return best
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}
