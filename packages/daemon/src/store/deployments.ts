import { activeStates, type Deployment, type DeploymentState, endedStates } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { randomId } from '@origami/protocol/demo'
import type { Updateable } from 'kysely'
import { addEvent } from './events.ts'
import type { Db, Trx } from './open.ts'
import type { DeploymentRow, Tables } from './tables.ts'

type Change = Updateable<Tables['deployments']>

/**
 * Stores a new request. One that waits already is superseded by it, but for what serves: that is stopped with its image, and taken up again when
 * the newer one fails.
 */
export async function addDeployment(
  trx: Trx,
  demo: DemoId,
  now: string,
  sealToken: (id: DeploymentId) => Uint8Array | null,
): Promise<DeploymentId> {
  const id = randomId() as DeploymentId
  const waiting = await trx
    .selectFrom('deployments')
    .selectAll()
    .where('demo_id', '=', demo)
    .where('state', '=', 'queued')
    .executeTakeFirst()
  if (waiting) await makeWay(trx, waiting, id, now)
  await trx
    .insertInto('deployments')
    .values({
      id,
      demo_id: demo,
      state: 'queued',
      token: sealToken(id),
      steps: JSON.stringify([{ state: 'queued', at: now }]),
      created_at: now,
      updated_at: now,
    })
    .execute()
  await addEvent(trx, { demo, deployment: id, from: null, to: 'queued', reason: null, at: now })
  return id
}

/** Ends one that waits, for a newer request. What serves keeps its image, and is only stopped. */
export async function makeWay(
  trx: Trx,
  row: DeploymentRow,
  newer: DeploymentId,
  now: string,
  change: Change = {},
): Promise<void> {
  const demo = await trx.selectFrom('demos').select('serving').where('id', '=', row.demo_id).executeTakeFirst()
  const over = { ...change, token: null }
  if (demo?.serving === row.id) await move(trx, row, 'stopped', now, over)
  else await move(trx, row, 'superseded', now, { ...over, reason: 'a newer request took its place', superseded_by: newer })
}

/**
 * Lets what serves wait for its start where its demo is wanted on, it is stopped, and nothing newer is on its way (any more). Returns whose. What
 * could not be started, or crashed too often, is left to its owner.
 */
export async function queueStopped(db: Db, now: string): Promise<DemoId[]> {
  return db.transaction().execute(async (trx) => {
    const stopped = await trx
      .selectFrom('demos')
      .innerJoin('deployments', 'deployments.id', 'demos.serving')
      .selectAll('deployments')
      .where('demos.want', '=', 'on')
      .where('deployments.state', '=', 'stopped')
      .where('deployments.image', 'is not', null)
      .execute()
    const queued: DemoId[] = []
    for (const row of stopped)
      if (!(await isComing(trx, row.demo_id)) && (await queueAgain(trx, row, now))) queued.push(row.demo_id)
    return queued
  })
}

/** Lets a version that ended wait for its start from its image. */
export const queueAgain = (trx: Trx, row: DeploymentRow, now: string): Promise<boolean> =>
  move(trx, row, 'queued', now, { attempt: row.attempt + 1, crash_times: '[]', interruptions: 0 })

/** Whether a deployment of this demo waits or is under way. */
export async function isComing(trx: Trx, demo: DemoId): Promise<boolean> {
  const open = ['queued', ...activeStates] as const
  const query = trx.selectFrom('deployments').select('id').where('demo_id', '=', demo).where('state', 'in', open)
  return (await query.executeTakeFirst()) !== undefined
}

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

/**
 * Who goes next: whose owner has fewest under way, then order of arrival. One at a time for each demo. `taken`: those under way already, of
 * which some still say `queued`. `mayBuild`: false leaves out what has no image yet.
 */
export async function nextQueued(db: Db, taken: readonly DeploymentId[], mayBuild: boolean): Promise<DeploymentRow | undefined> {
  const active = await db
    .selectFrom('deployments')
    .innerJoin('demos', 'demos.id', 'deployments.demo_id')
    .select(['demo_id', 'user_id'])
    .where((eb) => eb.or([eb('state', 'in', activeStates), eb('deployments.id', 'in', taken)]))
    .execute()
  const queued = await db
    .selectFrom('deployments')
    .innerJoin('demos', 'demos.id', 'deployments.demo_id')
    .selectAll('deployments')
    .select('user_id')
    .where('state', '=', 'queued')
    .orderBy('deployments.created_at')
    .execute()
  const busy = new Set(active.map((row) => row.demo_id))
  const load = (user: string) => active.filter((row) => row.user_id === user).length
  const ready = queued.filter((row) => !busy.has(row.demo_id) && (mayBuild || row.image !== null))
  return ready.toSorted((a, b) => load(a.user_id) - load(b.user_id))[0]
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
