import { z } from 'zod'
import { parseYamlKeys } from './yaml-keys.ts'

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
  try {
    return parseYamlKeys(text, manifestSchema, '.origami').value
  } catch (cause) {
    throw new ManifestError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
