import { endInstance } from '../deploy/instance.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { deploymentById, move } from '../store/deployments.ts'
import { runningOn } from '../store/predictions.ts'
import type { DeploymentRow } from '../store/tables.ts'

/** Lets what runs on a version finish, then removes it and its image. */
export async function retire(parts: DeployParts, version: DeploymentRow): Promise<void> {
  const { db, engine, now, changed } = parts
  await drained(parts, version)
  const row = await deploymentById(db, version.id)
  if (row?.state !== 'draining') return
  if (row.instance) await endInstance(parts, row.instance)
  if (row.image) await engine.removeImage(row.image)
  await db.transaction().execute((trx) => move(trx, row, 'retired', now(), { instance: null, endpoint: null, image: null }))
  changed.notify(version.demo_id)
}

/** Resolves when nothing runs on a version any more, or its time to drain is over. */
export async function drained({ db, changed, limits }: DeployParts, version: DeploymentRow): Promise<void> {
  const deadline = AbortSignal.timeout(limits.drainMs)
  while (!deadline.aborted) {
    const change = changed.ofDemo(version.demo_id, deadline)
    if ((await runningOn(db, version.id)) === 0) return
    await change
  }
}
