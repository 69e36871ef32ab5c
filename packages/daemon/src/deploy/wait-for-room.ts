import { deploymentsByState, note } from '../store/deployments.ts'
import { addEvent } from '../store/events.ts'
import type { DeployParts } from './parts.ts'

/**
 * Says on each deployment that waits to be built, and in its log, why it cannot begin: `lack`. Undefined: there is
 * room, and nothing says so any more.
 */
export async function tellWhyTheyWait(
  { db, logs, now, clock, changed }: Pick<DeployParts, 'db' | 'logs' | 'now' | 'clock' | 'changed'>,
  lack: string | undefined,
): Promise<void> {
  const reason = lack === undefined ? null : `It waits for room, and goes on by itself once there is: ${lack}.`
  for (const row of await deploymentsByState(db, ['queued'])) {
    if (row.image !== null || (reason === null) === (row.reason === null)) continue
    const { id: deployment, demo_id: demo } = row
    const isNoted = await db.transaction().execute(async (trx) => {
      if (!(await note(trx, row, { reason }))) return false
      await addEvent(trx, { demo, deployment, from: 'queued', to: 'queued', reason, at: now() })
      return true
    })
    if (!isNoted) continue
    changed.notify(demo)
    if (reason) await logs.append(demo, [{ at: new Date(clock()), source: 'deploy', text: reason }])
  }
}
