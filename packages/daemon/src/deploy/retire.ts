import type { Attempt } from '../store/deployment.ts'
import { deploymentById, move, noInstance, note } from '../store/deployments.ts'
import { runningOn } from '../store/open-predictions.ts'
import { endInstance } from './instance.ts'
import type { DeployParts } from './parts.ts'
import { noteServedWell } from './served-well.ts'

/** Lets running predictions of a version finish, then removes its instance, and its image unless it served well. */
export async function retire(
  parts: DeployParts,
  version: Pick<Attempt, 'id' | 'demo_id'>,
  signal: AbortSignal,
): Promise<void> {
  const { db, engine, now, changed } = parts
  await drained(parts, version, signal)
  const row = await deploymentById(db, version.id)
  if (signal.aborted || row?.state !== 'draining') return
  const good = await noteServedWell(parts, row)
  if (row.instance) await endInstance(parts, row.instance.id, { signal })
  if (!good) await engine.removeImage(row.image)
  const ended = { ...noInstance, ...(good ? {} : { image: null }) }
  await db.transaction().execute(async (trx) => {
    if ((await move(trx, row, 'retired', now(), ended)) || good) return
    // Its demo was stopped meanwhile: that end stays, without the image that is gone.
    const stopped = await deploymentById(trx, version.id)
    if (stopped?.state === 'retired') await note(trx, stopped, { image: null })
  })
  changed.notify(version.demo_id)
}

/** Resolves when nothing runs on a version any more, its time to drain is over, or the signal aborts. */
export async function drained(
  { db, changed, limits }: DeployParts,
  version: Pick<Attempt, 'id' | 'demo_id'>,
  signal: AbortSignal,
): Promise<void> {
  const enough = AbortSignal.any([signal, AbortSignal.timeout(limits.drainMs)])
  while (!enough.aborted) {
    const change = changed.untilDemoChanges(version.demo_id, enough)
    if ((await runningOn(db, version.id)) === 0) return
    await change
  }
}
