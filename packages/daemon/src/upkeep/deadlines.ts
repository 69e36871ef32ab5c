import { activeStates } from '@origami/protocol/control'
import type { Deployer } from '../deploy/deployer.ts'
import type { DeployParts } from '../deploy/parts.ts'
import { deploymentsIn, move } from '../store/deployments.ts'

/**
 * Fails deployments whose deadline is over and that nobody works on: what broke off must not hold its demo for ever.
 */
export async function failOverdue({ db, now, changed }: DeployParts, deployer: Deployer): Promise<void> {
  for (const row of await deploymentsIn(db, activeStates)) {
    if (deployer.isUnderWay(row.id) || row.deadline_at === null || row.deadline_at > now()) continue
    const reason = `It broke off in ${row.state.replace('_', ' ')}, and its time is over; deploy it again`
    await db.transaction().execute((trx) => move(trx, row, 'timed_out', now(), { reason, token: null }))
    changed.notify(row.demo_id)
  }
}
