import { activeStates } from '@origami/protocol/control'
import type { DeploymentRunner } from '../deploy/deployment-runner.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { deploymentsByState, move } from '../store/deployments.ts'
import { requeue } from './interrupted.ts'

/**
 * A deployment that was interrupted and that nobody works on must not block its demo. It is queued again, or fails when
 * its deadline is over.
 */
export async function failOverdue(parts: DeployParts, runner: DeploymentRunner): Promise<void> {
  const { db, now, changed } = parts
  for (const row of await deploymentsByState(db, activeStates)) {
    if (runner.isUnderWay(row.id)) continue
    const reason = `It broke off in ${row.state.replace('_', ' ')}, and its time is over; deploy it again`
    if (row.deadline_at !== null && row.deadline_at <= now())
      await db.transaction().execute((trx) => move(trx, row, 'timed_out', now(), { reason, token: null }))
    else await requeue(parts, row, (times) => `It broke off ${times} times while it was under way`)
    changed.notify(row.demo_id)
  }
}
