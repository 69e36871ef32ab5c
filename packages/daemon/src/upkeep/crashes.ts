import type { DeployParts } from '../deploy/parts.ts'
import { noteServedWell } from '../deploy/served-well.ts'
import type { Attempt } from '../store/deployment.ts'
import { deploymentById, note, notReached } from '../store/deployments.ts'
import { handBack } from './revive.ts'

/** The times (ISO 8601) that are at most `windowMs` ago. */
const crashesWithin = (times: readonly string[], now: number, windowMs: number): string[] =>
  times.filter((at) => now - Date.parse(at) <= windowMs)

/**
 * Counts a crash of a version that should serve. `how` is 'exited', 'ran out of memory' or the like. After too many
 * crashes within the window the last version that served well replaces it. When there is none, its demo fails.
 */
export async function crashed(parts: DeployParts, version: Attempt, how: string): Promise<void> {
  const { db, limits, clock, now } = parts
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) return
  await noteServedWell(parts, row)
  const times = [...crashesWithin(row.crash_times, clock(), limits.crashWindowMs), now()]
  if (times.length > limits.crashes)
    return handBack(parts, row, `It ${how} ${times.length} times within ${span(limits.crashWindowMs)}`)
  await note(db, row, { crash_times: times, ...notReached })
}

const span = (ms: number): string => (ms === 600_000 ? 'ten minutes' : `${Math.round(ms / 1000)} s`)
