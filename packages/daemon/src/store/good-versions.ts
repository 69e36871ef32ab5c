import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { Attempt, RetiredDeployment } from './deployment.ts'
import type { Trx } from './open.ts'
import { toDeployment } from './read-deployment.ts'

/** The newest version before this one that served well and can be started. */
export async function lastGood(trx: Trx, row: Pick<Attempt, 'id' | 'demo_id'>): Promise<RetiredDeployment | undefined> {
  const query = good(trx, row.demo_id).selectAll().where('id', '!=', row.id).where('state', '=', 'retired')
  const found = await query.executeTakeFirst()
  const version = found && toDeployment(found)
  return version?.state === 'retired' ? version : undefined
}

/**
 * The newest versions that served well and can be started, at most `limit`, including those that serve or are stopped.
 */
export async function goodVersions(db: Trx, demo: DemoId, limit: number): Promise<DeploymentId[]> {
  const states = ['running', 'draining', 'stopped', 'retired'] as const
  const rows = await good(db, demo).select('id').where('state', 'in', states).limit(limit).execute()
  return rows.map(({ id }) => id)
}

const good = (db: Trx, demo: DemoId) =>
  db
    .selectFrom('deployments')
    .where('demo_id', '=', demo)
    .where('served_well', 'is not', null)
    .where('image', 'is not', null)
    .orderBy('created_at', 'desc')
