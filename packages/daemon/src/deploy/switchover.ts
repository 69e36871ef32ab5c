import type { DemoSchema } from '@origami/protocol/demo'
import type { Instance } from '../engine/engine.ts'
import { demoById, setServing } from '../store/demos.ts'
import type { Attempt } from '../store/deployment.ts'
import { deploymentById, move, note, notPutOff, notReached } from '../store/deployments.ts'
import { DeployFailed, Overtaken } from './failure.ts'
import { endInstance } from './instance.ts'
import type { DeployParts } from './parts.ts'
import type { DeployProgress } from './progress.ts'
import { drained } from './retire.ts'

/**
 * Changes the route, the states and their events in one transaction. From then on the new version serves. An abort
 * before that changes nothing.
 */
export async function switchTo(
  { db, now, changed }: Pick<DeployParts, 'db' | 'now' | 'changed'>,
  { row }: Pick<DeployProgress, 'row'>,
  instance: Pick<Instance, 'id'>,
  schema: DemoSchema,
  signal: AbortSignal,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const demo = await demoById(trx, row.demo_id)
    const before = demo?.serving && demo.serving !== row.id ? await deploymentById(trx, demo.serving) : undefined
    if (!demo) throw new Overtaken()
    if (demo.want === 'stopped') throw new DeployFailed('canceled', 'the demo was stopped')
    if (
      !(await move(trx, row, 'running', now(), {
        schema,
        instance: instance.id,
        crash_times: [],
        ...notPutOff,
        token: null,
      }))
    )
      throw new Overtaken()
    if (before?.state === 'running') await move(trx, before, 'draining', now())
    else if (before?.image) await move(trx, before, 'retired', now(), { reason: before.reason })
    await setServing(trx, row)
    signal.throwIfAborted()
  })
  changed.notify(row.demo_id)
}

/**
 * Stops the serving version and keeps its image. Its demo is held until something serves again. If no new version does,
 * the rounds start the old one again.
 */
export async function suspend(parts: DeployParts, version: Attempt, signal: AbortSignal): Promise<void> {
  const { db, engine, changed, tasks } = parts
  await tasks.end(version.id)
  await note(db, version, notReached)
  changed.notify(version.demo_id)
  await drained(parts, version, signal)
  signal.throwIfAborted()
  const instances = await engine.instancesOf(version.demo_id)
  for (const { id, deployment } of instances) if (deployment === version.id) await endInstance(parts, id, { signal })
}
