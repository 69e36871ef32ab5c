import type { DeployParts } from '../deploy/parts.ts'
import { deploymentById, move, note } from '../store/deployments.ts'
import type { DeploymentRow } from '../store/tables.ts'
import { lastGood, noteServedWell } from './good-versions.ts'
import { revive } from './revive.ts'

/** Those of the times (JSON, ISO 8601) that are at most `windowMs` ago. */
export const crashesWithin = (times: string, now: number, windowMs: number): string[] =>
  (JSON.parse(times) as string[]).filter((at) => now - Date.parse(at) <= windowMs)

/**
 * Counts a crash of a version that should serve. `how`: 'exited', 'ran out of memory', … Too many within the window, and it makes way for the last
 * version that served well; where there is none, its demo fails.
 */
export async function crashed(parts: DeployParts, version: DeploymentRow, how: string): Promise<void> {
  const { db, limits, clock, now } = parts
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) return
  await noteServedWell(parts, row)
  const times = [...crashesWithin(row.crash_times, clock(), limits.crashWindowMs), now()]
  if (times.length > limits.crashes)
    return handBack(parts, row, `It ${how} ${times.length} times within ${span(limits.crashWindowMs)}`)
  await note(db, row, { crash_times: JSON.stringify(times), endpoint: null, ready_at: null })
}

async function handBack(parts: DeployParts, row: DeploymentRow, why: string): Promise<void> {
  const { db, now, changed, logs, clock } = parts
  const log_tail = JSON.stringify(await logs.tail(row.demo_id, 200))
  const ended = { log_tail, instance: null, endpoint: null, ready_at: null }
  const { reason, good } = await db.transaction().execute(async (trx) => {
    const good = await lastGood(trx, row)
    const reason = `${why}; ${good ? `version ${nameOf(good)}, the last that served well, serves again` : 'its last lines are in the log'}`
    if (!(await move(trx, row, 'runtime_error', now(), { ...ended, reason })) || !good) return { reason, good: undefined }
    await move(trx, good, 'running', now(), {
      ...{ attempt: good.attempt + 1, instance: null, endpoint: null, log_cursor: null, ready_at: null },
      ...{ crash_times: '[]', tries: 0, next_try_at: null },
      reason: `It serves again because version ${nameOf(row)} crashed: ${why}`,
    })
    await trx.updateTable('demos').set({ serving: good.id }).where('id', '=', row.demo_id).execute()
    return { reason, good: { ...good, attempt: good.attempt + 1 } }
  })
  await logs.append(row.demo_id, [{ at: new Date(clock()), source: 'deploy', text: reason }])
  changed.notify(row.demo_id)
  if (good) parts.tasks.start(good.id, (signal) => revive(parts, good, signal))
}

const nameOf = ({ commit_sha, id }: DeploymentRow): string => commit_sha?.slice(0, 7) ?? id

const span = (ms: number): string => (ms === 600_000 ? 'ten minutes' : `${Math.round(ms / 1000)} s`)
