import { type Manifest, manifestSchema } from '@origami/protocol/demo'
import { failureOf, Overtaken } from '../deploy/failure.ts'
import { instanceSpec, untilReady } from '../deploy/instance.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { Progress } from '../deploy/progress.ts'
import { demoById } from '../store/demos.ts'
import { deploymentById, move, note } from '../store/deployments.ts'
import type { DeploymentRow } from '../store/tables.ts'

/**
 * Starts an instance again for a version that is meant to serve and has none. Its route comes back once it answers; if it does not, the
 * version ends as `runtime_error`.
 */
export async function revive(parts: DeployParts, version: DeploymentRow, signal: AbortSignal): Promise<void> {
  const { db, engine, now, changed, pumps } = parts
  const progress = new Progress(parts, version, signal)
  const manifest: Manifest = version.manifest ? JSON.parse(version.manifest) : manifestSchema.parse({})
  try {
    const left = (await engine.list()).find((instance) => instance.deployment === version.id)
    if (left) await engine.remove(left.id)
    if (!version.image) throw new Error('its image is gone; deploy it again')
    await progress.say('Starting it again')
    const { demo_id: demo, id: deployment, image } = version
    const spec = instanceSpec((await demoById(db, demo))?.repolink ?? '', manifest, parts.limits)
    const instance = await engine.start({ demo, deployment, image, spec }, signal)
    await note(db, version, { instance: instance.id, endpoint: null, log_cursor: null })
    pumps.start(deployment, instance.id)
    const within = AbortSignal.any([signal, AbortSignal.timeout(manifest.ready_within * 1000)])
    await untilReady(parts, progress, instance, within)
  } catch (error) {
    if (signal.aborted || error instanceof Overtaken) return
    const { message } = failureOf(error, 'starting')
    const tail = JSON.stringify(await parts.logs.tail(version.demo_id, 200))
    const row = (await deploymentById(db, version.id)) ?? version
    if (row.instance) await engine.remove(row.instance)
    await db
      .transaction()
      .execute((trx) =>
        move(trx, row, 'runtime_error', now(), { reason: message, log_tail: tail, instance: null, endpoint: null }),
      )
  }
  changed.notify(version.demo_id)
}
