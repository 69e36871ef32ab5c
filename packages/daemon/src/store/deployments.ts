import { type DeploymentState, endedStates } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { Attempt, Deployment, DeploymentIn } from './deployment.ts'
import { type Change, storedChange } from './deployment-documents.ts'
import { addEvent } from './events.ts'
import type { Db, Trx } from './open.ts'
import { toDeployment } from './read-deployment.ts'

/**
 * Moves a deployment to another state and stores the event, unless its attempt or state changed since `row` was read.
 * False: it did, and nothing was written.
 */
export async function move(
  trx: Trx,
  row: Attempt & Pick<Deployment, 'state' | 'steps'>,
  to: DeploymentState,
  now: string,
  change: Change = {},
): Promise<boolean> {
  const steps = [...row.steps, { state: to, at: now }]
  const { numUpdatedRows } = await trx
    .updateTable('deployments')
    .set({ reason: null, deadline_at: null, ...storedChange({ ...change, steps }), state: to, updated_at: now })
    .where('id', '=', row.id)
    .where('attempt', '=', row.attempt)
    .where('state', '=', row.state)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return false
  await addEvent(trx, {
    demo: row.demo_id,
    deployment: row.id,
    from: row.state,
    to,
    reason: change.reason ?? null,
    at: now,
  })
  return true
}

/** Changes a deployment whose attempt is still the caller's. False: it is not. */
export async function note(trx: Trx, row: Pick<Attempt, 'id' | 'attempt'>, change: Change): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('deployments')
    .set(storedChange(change))
    .where('id', '=', row.id)
    .where('attempt', '=', row.attempt)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The columns of an instance that is not reached any more. */
export const notReached = { endpoint: null, ready_at: null } as const
/** The columns of a deployment that has no instance any more. */
export const noInstance = { instance: null, ...notReached } as const
/** The columns of a version that no longer waits for its next try. */
export const notPutOff = { tries: 0, next_try_at: null } as const

export async function deploymentById(db: Trx, id: DeploymentId): Promise<Deployment | undefined> {
  const row = await db.selectFrom('deployments').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toDeployment(row)
}

/** Oldest first. */
export async function deploymentsByState<State extends DeploymentState>(
  db: Trx,
  states: readonly State[],
): Promise<DeploymentIn<State>[]> {
  const query = db
    .selectFrom('deployments')
    .selectAll()
    .where('state', 'in', states)
    .orderBy('created_at')
    .orderBy('id')
  return (await query.execute()).map(toDeployment).filter((row) => hasState(row, states))
}

function hasState<State extends DeploymentState>(
  row: Deployment,
  states: readonly State[],
): row is DeploymentIn<State> {
  const all: readonly DeploymentState[] = states
  return all.includes(row.state)
}

/** Newest first. */
export async function deploymentsOf(db: Trx, demo: DemoId, limit: number): Promise<Deployment[]> {
  const rows = await db
    .selectFrom('deployments')
    .selectAll()
    .where('demo_id', '=', demo)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toDeployment)
}

/**
 * Removes at most `rows` of a demo's ended deployments that hold no image and are not among its newest `kept` ended
 * ones. Returns how many.
 */
export async function sweepDeployments(db: Db, demo: DemoId, keep: number, rows: number): Promise<number> {
  const ended = db.selectFrom('deployments').where('demo_id', '=', demo).where('state', 'in', endedStates)
  const oldest = await ended
    .select(['created_at', 'id'])
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .offset(keep)
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

/** Stores that a daemon released these deployments in an orderly exit, so that it does not count as an interruption. */
export async function letGo(db: Db, ids: readonly DeploymentId[]): Promise<void> {
  if (ids.length > 0) await db.updateTable('deployments').set({ let_go: 1 }).where('id', 'in', ids).execute()
}
