import type { ImageRef } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import { demoById } from '../store/demos.ts'
import type { Deployment, QueuedDeployment, RunningDeployment } from '../store/deployment.ts'
import { deploymentById, noInstance } from '../store/deployments.ts'
import { checkout, readManifest, removeCheckout } from './checkout.ts'
import { DeployFailed, failureOf, Overtaken } from './failure.ts'
import { endInstance, startInstance, untilReady } from './instance.ts'
import { manifestOf } from './manifest.ts'
import { nextTry } from './next-try.ts'
import type { DeployParts } from './parts.ts'
import { DeployProgress } from './progress.ts'
import { retire } from './retire.ts'
import { suspend, switchTo } from './switchover.ts'

/**
 * How long an instance may take to end when its deploy failed or was canceled. It serves nobody, so it is no setting.
 */
const endGraceMs = 2_000

/**
 * Brings one deployment live, from `queued` to `running`. Aborting the signal with the reason `canceled` cancels it;
 * any other abort leaves the row as it is for the next daemon. The version that served before goes on serving until
 * this one answers. `built` is called once there is an image.
 */
export async function deploy(
  parts: DeployParts,
  queued: QueuedDeployment,
  signal: AbortSignal,
  built: () => void,
): Promise<void> {
  const progress = new DeployProgress(parts, queued, signal)
  try {
    const image = queued.image ?? (await makeImage(parts, progress, queued))
    built()
    const before = await parts.slots.take('deploy', signal, () => goLive(parts, progress, image, signal))
    if (before) parts.tasks.start(before.id, (ending) => retire(parts, before, ending))
    await progress.say('Live')
  } catch (error) {
    await end(parts, progress, error, signal)
    if (signal.reason !== 'leaving') parts.lookAfter()
  }
}

/** Starts the image, waits until it answers, and switches over to it. Returns the version that served before. */
async function goLive(
  parts: DeployParts,
  progress: DeployProgress,
  image: ImageRef,
  signal: AbortSignal,
): Promise<RunningDeployment | undefined> {
  const before = await servingVersion(parts, progress.row)
  const manifest = manifestOf(progress.row)
  const first = manifest.strategy === 'recreate' ? before : undefined
  const instance = await progress.enter(
    'starting',
    parts.limits.startMs + (first ? parts.limits.drainMs : 0),
    async (within) => {
      if (first) await suspend(parts, first, within)
      // Instances are found by their deployment, so a task that removes an old one must end before a new one starts.
      await parts.tasks.end(progress.row.id)
      return startInstance(parts, progress, image, manifest, within)
    },
  )
  const schema = await progress.enter('health_checking', manifest.ready_within * 1000, (within) =>
    untilReady(parts, progress, instance, within),
  )
  signal.throwIfAborted()
  await progress.enter('switching', parts.limits.switchMs, (within) =>
    switchTo(parts, progress, instance, schema, within),
  )
  return before
}

async function makeImage(parts: DeployParts, progress: DeployProgress, queued: QueuedDeployment) {
  try {
    return await cloneAndBuild(parts, progress, queued)
  } finally {
    await removeCheckout(parts, progress.row)
  }
}

async function cloneAndBuild(parts: DeployParts, progress: DeployProgress, queued: QueuedDeployment) {
  const folder = await progress.enter('cloning', parts.limits.cloneMs, (within) =>
    parts.builds.during(within, (signal) => checkout(parts, progress, queued, signal)),
  )
  const manifest = await progress.enter('validating', parts.limits.validateMs, () => readManifest(folder))
  await progress.note({ manifest })
  const { demo_id: demo, id: deployment } = progress.row
  const user = (await demoById(parts.db, demo))?.user_id
  if (user === undefined) throw new DeployFailed('canceled', 'the demo was removed')
  let base_images: readonly string[] = []
  const image = await progress.enter('building', parts.limits.buildMs, (within) =>
    parts.builds.during(within, (signal) =>
      parts.engine.build(
        {
          demo,
          deployment,
          user,
          folder,
          manifest,
          onBaseImages: (images) => {
            base_images = images
          },
          onLog: (line) => parts.logs.append(demo, [line]),
        },
        signal,
      ),
    ),
  )
  await progress.note({ image, base_images, token: null })
  return image
}

/** The deployment that serves now, unless it is this one. */
async function servingVersion({ db }: DeployParts, row: Deployment): Promise<RunningDeployment | undefined> {
  const serving = (await demoById(db, row.demo_id))?.serving
  const before = serving && serving !== row.id ? await deploymentById(db, serving) : undefined
  return before?.state === 'running' ? before : undefined
}

/**
 * Removes what was started and stores how the deploy ended, unless another attempt has the deployment by now or the
 * daemon is leaving. A deployment that serves (because its owner started it again, for example) and still has its image
 * has not ended: it is tried again. A cancel is stored first, so that it counts although the engine does not answer.
 */
async function end(parts: DeployParts, progress: DeployProgress, error: unknown, signal: AbortSignal): Promise<void> {
  if (error instanceof Overtaken || (signal.aborted && signal.reason !== 'canceled')) return
  const failure = signal.aborted ? new DeployFailed('canceled', 'canceled') : failureOf(error, progress.step)
  const { id, demo_id, instance, image } = progress.row
  const serves = (await demoById(parts.db, demo_id))?.serving === id
  // What cannot be removed now belongs to no deployment from here on, and a round of upkeep removes it.
  const remove = () =>
    logged(`what deployment ${id} started could not be removed`, async () => {
      if (instance) await endInstance(parts, instance.id, { graceMs: endGraceMs })
      if (image && !serves) await parts.engine.removeImage(image)
    })
  const isCanceled = failure.state === 'canceled'
  if (!isCanceled) await remove()
  try {
    if (serves && image && !isCanceled) await scheduleRetry(parts, progress, failure)
    else await fail(parts, progress, failure, serves)
  } catch (cause) {
    if (!(cause instanceof Overtaken)) throw cause
  } finally {
    if (isCanceled) await remove()
  }
}

async function scheduleRetry(parts: DeployParts, progress: DeployProgress, { message }: DeployFailed): Promise<void> {
  const next = nextTry(parts, 1, message)
  await progress.say(next.reason)
  await progress.to('running', { ...next, token: null, instance: null })
}

async function fail(
  parts: DeployParts,
  progress: DeployProgress,
  failure: DeployFailed,
  keepsImage: boolean,
): Promise<void> {
  const { state, message } = failure
  const { demo_id, created_at } = progress.row
  await progress.say(`${state}: ${message}`)
  let tail: string[] = []
  await logged(`the log of demo ${demo_id} could not be read`, async () => {
    tail = (await parts.logs.tail(demo_id, 200)).filter((line) => line >= created_at)
  })
  await progress.to(state, {
    reason: message,
    token: null,
    ...noInstance,
    ...(keepsImage ? {} : { image: null }),
    ...(state === 'canceled' ? {} : { log_tail: tail }),
  })
}
