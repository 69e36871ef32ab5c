import { DeployFailed, failureOf, Overtaken } from '../deploy/failure.ts'
import { endInstance, startInstance, untilReady } from '../deploy/instance.ts'
import { manifestOf } from '../deploy/manifest.ts'
import { nextTry } from '../deploy/next-try.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { DeployProgress } from '../deploy/progress.ts'
import type { ImageRef } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import { setServing } from '../store/demos.ts'
import type { Attempt, Deployment, RunningDeployment } from '../store/deployment.ts'
import { deploymentById, move, noInstance, note, notPutOff } from '../store/deployments.ts'
import { lastGood } from '../store/good-versions.ts'
import { isComing } from '../store/waiting-deployments.ts'

/**
 * Starts an instance again for a version that should serve and has none, once there is a slot. Its route returns when
 * the instance answers. When it does not, it is tried again after longer and longer waits, as long as its owner wants
 * the demo on.
 */
export async function revive(parts: DeployParts, version: Attempt, signal: AbortSignal): Promise<void> {
  try {
    await parts.slots.take('revive', signal, () => restart(parts, version, signal))
  } catch (error) {
    if (signal.aborted || error instanceof Overtaken) return
    await putOff(parts, version, error)
  } finally {
    parts.changed.notify(version.demo_id)
  }
}

/** Whether a version that could not be started still waits for its next try. */
export const isPutOff = ({ put_off }: RunningDeployment, now: number): boolean =>
  put_off !== null && now < Date.parse(put_off.until)

/** The image to be started is gone, so trying again does not help. */
class ImageGone extends Error {}

async function restart(parts: DeployParts, version: Attempt, signal: AbortSignal): Promise<void> {
  const row = await deploymentById(parts.db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) throw new Overtaken()
  const progress = new DeployProgress(parts, row, signal)
  const { image } = row
  await startImage(parts, progress, image, signal).catch((error) => whyNotStarted(parts, image, error))
  if (row.put_off) await progress.note({ ...notPutOff, reason: null })
}

/** Starts an instance, or uses the existing one. Resolves once it is ready. */
async function startImage(
  parts: DeployParts,
  progress: DeployProgress,
  image: ImageRef,
  signal: AbortSignal,
): Promise<void> {
  const manifest = manifestOf(progress.row)
  const left = (await parts.engine.instancesOf(progress.row.demo_id)).find(
    ({ deployment }) => deployment === progress.row.id,
  )
  if (left?.state !== 'running') await progress.say('Starting it again')
  const instance = left?.state === 'running' ? left : await startInstance(parts, progress, image, manifest, signal)
  await untilReady(
    parts,
    progress,
    instance,
    AbortSignal.any([signal, AbortSignal.timeout(manifest.ready_within * 1000)]),
  )
}

/** If the engine cannot list its images now, nothing is known of this one, and the error of the start is thrown. */
async function whyNotStarted({ engine }: DeployParts, image: ImageRef, error: unknown): Promise<never> {
  const images = await engine.images().catch(() => undefined)
  if (images?.every(({ ref }) => ref !== image)) throw new ImageGone('its image is gone', { cause: error })
  throw error
}

async function putOff(parts: DeployParts, version: Attempt, error: unknown): Promise<void> {
  const { db, limits } = parts
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'running' || row.attempt !== version.attempt) return
  const why = failureOf(error, 'starting').message
  const tries = (row.put_off?.tries ?? 0) + 1
  const good = isItsOwn(error) ? await lastGood(db, row) : undefined
  if (good && tries > limits.crashes)
    return handBack(parts, row, `It could not be started ${tries} times in a row: ${why}`)
  if (error instanceof ImageGone && !good && (await rebuild(parts, row))) return
  // When a good version can take over, visitors do not wait for a broken one.
  const next = nextTry(parts, tries, why, good ? 0 : undefined)
  await note(db, row, next)
  await new DeployProgress(parts, row, AbortSignal.timeout(limits.answerMs)).say(next.reason)
  if (row.instance) await endInstance(parts, row.instance.id)
}

/** Whether the version itself is at fault (it exits, or its image is gone), and not its host or the time limit. */
const isItsOwn = (error: unknown): boolean =>
  error instanceof ImageGone ||
  (error instanceof DeployFailed && (error.state === 'start_failed' || error.state === 'oom'))

/**
 * Deploys a version whose image is gone anew from its commit. If that fails, it ends with the reason until somebody
 * deploys. False: a newer deployment is on its way already.
 */
async function rebuild({ db, now, changed, logs, clock }: DeployParts, row: RunningDeployment): Promise<boolean> {
  const anew = { attempt: row.attempt + 1, image: null, ...noInstance, ...notPutOff }
  const queued = await db
    .transaction()
    .execute(async (trx) => !(await isComing(trx, row.demo_id)) && (await move(trx, row, 'queued', now(), anew)))
  if (!queued) return false
  const text = `Its image is gone: it is built again from ${versionName(row)}`
  await logs.append(row.demo_id, [{ at: new Date(clock()), source: 'deploy', text }])
  changed.notify(row.demo_id)
  return true
}

/**
 * Ends a version and starts the last one that served well. When there is none, its demo fails. `why` says, for people,
 * what the version did. A version that was stopped or tried anew meanwhile stays as it is.
 */
export async function handBack(parts: DeployParts, row: RunningDeployment, why: string): Promise<void> {
  const { db, now, changed, logs, clock } = parts
  let log_tail: string[] = []
  await logged(`the log of demo ${row.demo_id} could not be read`, async () => {
    log_tail = await logs.tail(row.demo_id, 200)
  })
  const ended = { log_tail, ...noInstance }
  const handed = await db.transaction().execute(async (trx) => {
    const good = await lastGood(trx, row)
    const reason = `${why}; ${good ? `version ${versionName(good)}, the last that served well, serves again` : 'its last lines are in the log'}`
    if (!(await move(trx, row, 'runtime_error', now(), { ...ended, reason }))) return undefined
    if (!good) return { reason, good }
    await move(trx, good, 'running', now(), {
      ...{ attempt: good.attempt + 1, log_cursor: null, crash_times: [], ...noInstance, ...notPutOff },
      reason: `It serves again because version ${versionName(row)} crashed: ${why}`,
    })
    await setServing(trx, good)
    return { reason, good: { ...good, attempt: good.attempt + 1 } }
  })
  if (!handed) return
  const { reason, good } = handed
  changed.notify(row.demo_id)
  await logged(`the log of demo ${row.demo_id} could not be written`, () =>
    logs.append(row.demo_id, [{ at: new Date(clock()), source: 'deploy', text: reason }]),
  )
  if (good) parts.tasks.start(good.id, (signal) => revive(parts, good, signal))
}

const versionName = ({ commit, id }: Deployment): string => commit?.sha.slice(0, 7) ?? id
