import { activeStates } from '@origami/protocol/control'
import { move, noInstance } from './deployments.ts'
import type { Db } from './open.ts'
import { toDeployment } from './read-deployment.ts'

/**
 * Ends deployments in an open state whose row lacks what that state needs, since they would block the next deployment
 * of their demo. Returns how many.
 */
export async function failBroken(db: Db, now: string): Promise<number> {
  const open = ['queued', ...activeStates, 'running', 'draining'] as const
  const rows = await db.selectFrom('deployments').selectAll().where('state', 'in', open).execute()
  let failed = 0
  for (const row of rows) {
    const deployment = toDeployment(row)
    const { state: to, reason } = deployment
    if (to === row.state) continue
    const stored = { ...deployment, state: row.state }
    const over = { reason, token: null, ...noInstance }
    if (await db.transaction().execute((trx) => move(trx, stored, to, now, over))) failed += 1
  }
  return failed
}
