import { type ActiveState, activeStates } from '@origami/protocol/control'
import type { DeployParts } from '../deploy/parts.ts'
import type { DeploymentIn } from '../store/deployment.ts'
import { deploymentsByState, move, noInstance } from '../store/deployments.ts'
import { makeWay, waitingOf } from '../store/waiting-deployments.ts'

/**
 * Queues what was under way in a crash again, with a new attempt. A newer request replaces it when there is one. A
 * deployment during which the daemon died too often is not tried again.
 */
export async function requeueInterrupted(parts: DeployParts): Promise<void> {
  for (const row of await deploymentsByState(parts.db, activeStates))
    await requeue(parts, row, (times) => `The daemon died ${times} times while this was under way`)
}

/** Queues a deployment again that nobody works on any more. `why` is the reason stored when that happened too often. */
export async function requeue(
  { db, now, limits }: DeployParts,
  row: DeploymentIn<ActiveState>,
  why: (times: number) => string,
): Promise<void> {
  const interruptions = row.let_go ? row.interruptions : row.interruptions + 1
  await db.transaction().execute(async (trx) => {
    const attempt = row.attempt + 1
    const newer = await waitingOf(trx, row.demo_id)
    if (newer) await makeWay(trx, row, newer.id, now(), { attempt, interruptions })
    else if (interruptions >= limits.interruptions)
      await move(trx, row, 'poisoned', now(), {
        ...{ attempt, interruptions, token: null, ...noInstance },
        reason: `${why(interruptions)} (last in ${row.state.replace('_', ' ')}); it is not tried again`,
      })
    else await move(trx, row, 'queued', now(), { attempt, interruptions, let_go: 0, deadline_at: row.deadline_at })
  })
}
