import { z } from 'zod'
import { parseYamlKeys } from './yaml-keys.ts'

const size = z
  .string()
  .regex(/^[1-9][0-9]{0,6}[kmg]$/i, 'expected a size such as 512m or 2g')
  .transform((text) => Number.parseInt(text, 10) * 1024 ** (1 + 'kmg'.indexOf(text.slice(-1).toLowerCase())))

/** What a demo may reach: nothing; public addresses by HTTP and HTTPS; all public addresses. The least comes first. */
export const networkPolicies = ['none', 'web', 'open'] as const
export type NetworkPolicy = (typeof networkPolicies)[number]

/** The keys of `.origami`, all optional. Parsing converts memory to bytes and times to seconds. */
export const manifestSchema = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  description: z.string().max(10_000).optional(),
  /** How many predictions one instance runs at the same time. By default it is the model's own setting. */
  concurrency: z.int().min(1).max(64).optional(),
  /**
   * `swap`: the new version answers before the old one stops. `recreate`: for demos that cannot run twice at the same
   * time.
   */
  strategy: z.enum(['swap', 'recreate']).default('swap'),
  memory: size.optional(),
  cpus: z.number().positive().max(256).optional(),
  /** The size of `/tmp`, which stands in the memory of the demo. By default it is half of it. */
  tmp: size.optional(),
  /** Whether what is written to `/tmp` may be run or loaded as a library, as compilers at run time do. */
  tmp_exec: z.boolean().default(false),
  /** What the demo may reach. The operator may allow less. */
  network: z.enum(networkPolicies).default('web'),
  /** The port on which the demo listens inside its container. */
  port: z.int().min(1).max(65_535).default(6000),
  /** Seconds from the start until the instance must be READY. */
  ready_within: z.int().min(1).max(3600).default(120),
  /** Seconds that one prediction may run. The operator may set a lower limit. */
  timeout: z.int().min(1).max(86_400).default(600),
})
export type Manifest = z.infer<typeof manifestSchema>

/** A `.origami` that is not valid. The message has line and column, and says what is expected. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** Parses the text of `.origami`. An empty text gives all defaults. Throws ManifestError. */
export function parseManifest(text: string): Manifest {
  try {
    return parseYamlKeys(text, manifestSchema, '.origami').value
  } catch (cause) {
    throw new ManifestError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}
