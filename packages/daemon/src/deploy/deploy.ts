import { type Manifest, manifestSchema } from '@origami/protocol/demo'
import { demoById } from '../store/demos.ts'
import { deploymentById } from '../store/deployments.ts'
import type { DeploymentRow } from '../store/tables.ts'
import { retire } from '../upkeep/retire.ts'
import { checkout, readManifest, removeCheckout } from './checkout.ts'
import { failureOf, Overtaken } from './failure.ts'
import { endInstance, startInstance, untilReady } from './instance.ts'
import type { DeployParts } from './parts.ts'
import { Progress } from './progress.ts'
import { resume, suspend, switchTo } from './serving.ts'

/**
 * Brings one deployment live, from `queued` to `running`. Aborting the signal with a reason of `cancelled` cancels it; any other abort leaves the row
 * as it is, for the next daemon. What served before goes on serving unless this one answers.
 */
export async function deploy(parts: DeployParts, queued: DeploymentRow, signal: AbortSignal): Promise<void> {
  const progress = new Progress(parts, queued, signal)
  try {
    const image = queued.image ?? (await makeImage(parts, progress))
    const manifest = manifestOf(progress.row)
    const before = await servingNow(parts, queued)
    if (manifest.strategy === 'recreate' && before) await suspend(parts, before)
    try {
      const instance = await progress.in('starting', 2 * 60_000, (within) =>
        startInstance(parts, progress, image, manifest, within),
      )
      const schema = await progress.in('health_checking', manifest.ready_within * 1000, (within) =>
        untilReady(parts, progress, instance, within),
      )
      await progress.in('switching', 30_000, () => switchTo(parts, progress, instance, schema))
    } catch (error) {
      if (manifest.strategy === 'recreate' && before && !signal.aborted) await resume(parts, before)
      throw error
    }
    if (before) parts.tasks.start(before.id, () => retire(parts, before))
    await progress.say('Live')
  } catch (error) {
    await end(parts, progress, error, signal)
  }
}

async function makeImage(parts: DeployParts, progress: Progress) {
  try {
    return await cloneAndBuild(parts, progress)
  } finally {
    await removeCheckout(parts, progress.row)
  }
}

async function cloneAndBuild(parts: DeployParts, progress: Progress) {
  const folder = await progress.in('cloning', parts.limits.cloneMs, (within) => checkout(parts, progress, within))
  const manifest = await progress.in('validating', 60_000, () => readManifest(folder))
  await progress.note({ manifest: JSON.stringify(manifest) })
  const { demo_id: demo, id: deployment } = progress.row
  const image = await progress.in('building', parts.limits.buildMs, (within) =>
    parts.engine.build(
      {
        demo,
        deployment,
        folder,
        manifest,
        limits: { memoryBytes: parts.limits.buildMemoryBytes },
        onLog: (line) => void parts.logs.append(demo, [line]),
      },
      within,
    ),
  )
  await progress.note({ image, token: null })
  return image
}

const manifestOf = (row: DeploymentRow): Manifest =>
  row.manifest ? (JSON.parse(row.manifest) as Manifest) : manifestSchema.parse({})

/** The deployment that serves now, unless it is this very one. */
async function servingNow({ db }: DeployParts, row: DeploymentRow): Promise<DeploymentRow | undefined> {
  const serving = (await demoById(db, row.demo_id))?.serving
  const before = serving && serving !== row.id ? await deploymentById(db, serving) : undefined
  return before?.state === 'running' ? before : undefined
}

/** Removes what was started and writes how it ended, unless somebody else has the deployment by now, or the daemon is leaving. */
async function end(parts: DeployParts, progress: Progress, error: unknown, signal: AbortSignal): Promise<void> {
  if (error instanceof Overtaken || (signal.aborted && signal.reason !== 'cancelled')) return
  const { state, message } = signal.aborted
    ? { state: 'cancelled' as const, message: 'cancelled' }
    : failureOf(error, progress.step)
  try {
    if (progress.row.instance) await endInstance(parts, progress.row.instance)
    await progress.say(`${state}: ${message}`)
    const keepsImage = (await demoById(parts.db, progress.row.demo_id))?.serving === progress.row.id
    if (progress.row.image && !keepsImage) await parts.engine.removeImage(progress.row.image)
    const since = progress.row.created_at
    const tail = JSON.stringify((await parts.logs.tail(progress.row.demo_id, 200)).filter((line) => line >= since))
    await progress.to(state, {
      reason: message,
      token: null,
      instance: null,
      endpoint: null,
      ...(keepsImage ? {} : { image: null }),
      ...(state === 'cancelled' ? {} : { log_tail: tail }),
    })
  } catch (cause) {
    if (!(cause instanceof Overtaken)) throw cause
  }
}
