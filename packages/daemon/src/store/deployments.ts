import { type Deployment, type DeploymentState, endedStates } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { Updateable } from 'kysely'
import { addEvent } from './events.ts'
import type { Db, Trx } from './open.ts'
import type { DeploymentRow, Tables } from './tables.ts'

export type Change = Updateable<Tables['deployments']>

/**
 * Moves a deployment to another state, with its event, if nobody else moved on with it since `row` was read
 * (same attempt, same state). False: somebody did, and nothing changed.
 */
export async function move(
  trx: Trx,
  row: DeploymentRow,
  to: DeploymentState,
  now: string,
  change: Change = {},
): Promise<boolean> {
  const steps = [...(JSON.parse(row.steps) as Deployment['steps']), { state: to, at: now }]
  const { numUpdatedRows } = await trx
    .updateTable('deployments')
    .set({ reason: null, deadline_at: null, ...change, state: to, updated_at: now, steps: JSON.stringify(steps) })
    .where('id', '=', row.id)
    .where('attempt', '=', row.attempt)
    .where('state', '=', row.state)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return false
  await addEvent(trx, { demo: row.demo_id, deployment: row.id, from: row.state, to, reason: change.reason ?? null, at: now })
  return true
}

/** Notes something on a deployment whose attempt is still the caller's. False: it is not. */
export async function note(trx: Trx, row: Pick<DeploymentRow, 'id' | 'attempt'>, change: Change): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('deployments')
    .set(change)
    .where('id', '=', row.id)
    .where('attempt', '=', row.attempt)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export async function deploymentById(db: Trx, id: DeploymentId): Promise<DeploymentRow | undefined> {
  return db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function deploymentsIn(db: Trx, states: readonly DeploymentState[]): Promise<DeploymentRow[]> {
  return db.selectFrom('deployments').selectAll().where('state', 'in', states).orderBy('created_at').orderBy('id').execute()
}

/** Newest first. */
export async function deploymentsOf(db: Trx, demo: DemoId, limit: number): Promise<DeploymentRow[]> {
  return db
    .selectFrom('deployments')
    .selectAll()
    .where('demo_id', '=', demo)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** Removes at most `rows` of a demo's deployments that ended, hold no image and are not among its newest `kept` that ended. Returns how many. */
export async function sweepDeployments(db: Db, demo: DemoId, kept: number, rows: number): Promise<number> {
  const ended = db.selectFrom('deployments').where('demo_id', '=', demo).where('state', 'in', endedStates)
  const oldest = await ended
    .select(['created_at', 'id'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .offset(kept)
    .executeTakeFirst()
  if (!oldest) return 0
  const serving = db
    .selectFrom('demos')
    .select('serving')
    .where('id', '=', demo)
    .where('serving', 'is not', null)
    .$castTo<{ serving: DeploymentId }>()
  const old = ended
    .select('id')
    .where('image', 'is', null)
    .where('id', 'not in', serving)
    .where((eb) => eb(eb.refTuple('created_at', 'id'), '<=', eb.tuple(oldest.created_at, oldest.id)))
    .limit(rows)
  const { numDeletedRows } = await db.deleteFrom('deployments').where('id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Notes that a daemon which leaves in peace let go of these: their having been under way is not held against them. */
export async function letGo(db: Db, ids: readonly DeploymentId[]): Promise<void> {
  if (ids.length > 0) await db.updateTable('deployments').set({ let_go: 1 }).where('id', 'in', ids).execute()
}

/** As the API shows it. */
export function presentDeployment(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    demo_id: row.demo_id,
    state: row.state,
    reason: row.reason,
    commit: row.commit_sha,
    commit_message: row.commit_message,
    created_at: row.created_at,
    updated_at: row.updated_at,
    deadline_at: row.deadline_at,
    superseded_by: row.superseded_by,
    steps: JSON.parse(row.steps),
    log_tail: JSON.parse(row.log_tail),
  }
}
