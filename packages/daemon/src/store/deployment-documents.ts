import { logger } from '@origami/host/logger'
import { deployment } from '@origami/protocol/control'
import { type DemoSchema, demoSchema, type Manifest, manifestSchema } from '@origami/protocol/demo'
import type { Updateable } from 'kysely'
import { z } from 'zod'
import type { DeploymentDocuments, StoredDeployment, Tables } from './tables.ts'

const log = logger('store')

/** The columns of a deployment that may be changed. */
export type Change = Omit<Updateable<Tables['deployments']>, keyof DeploymentDocuments> & Partial<DeploymentDocuments>

/** The JSON columns of a row, each parsed by its schema. What cannot be read is logged and counts as missing. */
export const documentsOf = (row: StoredDeployment): DeploymentDocuments => ({
  steps: read('steps', deployment.shape.steps, row.steps) ?? [],
  log_tail: read('log_tail', z.array(z.string()), row.log_tail) ?? [],
  base_images: read('base_images', z.array(z.string()), row.base_images) ?? [],
  crash_times: read('crash_times', z.array(z.string()), row.crash_times) ?? [],
  manifest: storedManifest(row.manifest),
  schema: storedSchema(row.schema),
})

/** A change in the form that the table stores. */
export function storedChange({ steps, log_tail, base_images, crash_times, manifest, schema, ...columns }: Change) {
  const written = { steps, log_tail, base_images, crash_times, manifest, schema }
  const documents = Object.entries(written).filter(([, value]) => value !== undefined)
  return { ...columns, ...Object.fromEntries(documents.map(([name, value]) => [name, JSON.stringify(value)])) }
}

/** A stored schema. Undefined: there is none, or its form is unknown to this version. */
export const storedSchema = parsedOnce('schema', (text: string | null): DemoSchema | undefined =>
  text === null ? undefined : demoSchema.parse(JSON.parse(text)),
)

/**
 * A manifest is stored after parsing, so its memory is in bytes already. Keys that were added later have their
 * defaults.
 */
const storedManifestSchema = manifestSchema.extend({ memory: z.number().optional() }).strip()
export const storedManifest = parsedOnce('manifest', (text): Manifest | undefined =>
  storedManifestSchema.parse(JSON.parse(text ?? '{}')),
)

/**
 * Parses each text once, since every prediction asks for it. A text that cannot be read is logged once, and only its
 * own demo waits for it.
 */
function parsedOnce<Parsed>(what: string, parse: (text: string | null) => Parsed, atMost = 500) {
  const known = new Map<string | null, Parsed | undefined>()
  return (text: string | null): Parsed | undefined => {
    if (known.has(text)) return known.get(text)
    if (known.size >= atMost) known.clear()
    try {
      known.set(text, parse(text))
    } catch (error) {
      log.error(`a stored ${what} cannot be read; its demo is held until it is deployed again`, error)
      known.set(text, undefined)
    }
    return known.get(text)
  }
}

function read<Value>(what: string, shape: z.ZodType<Value>, text: string): Value | undefined {
  try {
    return shape.parse(JSON.parse(text))
  } catch (error) {
    log.error(`${what} of a stored deployment cannot be read, and counts as empty`, error)
    return undefined
  }
}
