import { failureOf, Overtaken } from '../deploy/failure.ts'
import { endInstance, startInstance, untilReady } from '../deploy/instance.ts'
import { manifestOf } from '../deploy/manifest.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { Progress } from '../deploy/progress.ts'
import { deploymentById, note } from '../store/deployments.ts'
import type { DeploymentRow } from '../store/tables.ts'

/**
 * Starts an instance again for a version that is meant to serve and has none, once there is a slot. Its route comes back when it answers; when it
 * does not, it is tried again later, after longer and longer waits, for as long as its owner wants it on.
 */
export async function revive(parts: DeployParts, version: DeploymentRow, signal: AbortSignal): Promise<void> {
  try {
    await parts.slots.take('revive', signal, () => startAgain(parts, version, signal))
  } catch (error) {
    if (signal.aborted || error instanceof Overtaken) return
    await putOff(parts, version, failureOf(error, 'starting').message)
  } finally {
    parts.changed.notify(version.demo_id)
  }
}

/** Whether a version that could not be started is still left alone. */
export const isPutOff = ({ next_try_at }: DeploymentRow, now: number): boolean =>
  next_try_at !== null && now < Date.parse(next_try_at)

async function startAgain(parts: DeployParts, version: DeploymentRow, signal: AbortSignal): Promise<void> {
  const { db, engine } = parts
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) throw new Overtaken()
  const progress = new Progress(parts, row, signal)
  const manifest = manifestOf(row)
  if (!row.image) throw new Error('its image is gone; deploy it again')
  const left = (await engine.list()).find(({ deployment }) => deployment === row.id)
  if (left?.state !== 'running') await progress.say('Starting it again')
  const instance = left?.state === 'running' ? left : await startInstance(parts, progress, row.image, manifest, signal)
  await untilReady(parts, progress, instance, AbortSignal.any([signal, AbortSignal.timeout(manifest.ready_within * 1000)]))
  if (row.tries > 0) await progress.note({ tries: 0, next_try_at: null, reason: null })
}

async function putOff(parts: DeployParts, version: DeploymentRow, why: string): Promise<void> {
  const { db, limits, clock } = parts
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) return
  const tries = row.tries + 1
  const wait = limits.reviveAfterMs[Math.min(tries, limits.reviveAfterMs.length) - 1] ?? 0
  const next_try_at = new Date(clock() + wait).toISOString()
  const reason = `It could not be started again: ${why}. It is tried again at ${next_try_at}`
  await note(db, row, { tries, next_try_at, reason, endpoint: null, ready_at: null })
  await new Progress(parts, row, AbortSignal.timeout(limits.answerMs)).say(reason)
  if (row.instance) await endInstance(parts, row.instance)
}
