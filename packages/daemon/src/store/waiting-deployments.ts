import { activeStates } from '@origami/protocol/control'
import { type DemoId, type DeploymentId, randomId } from '@origami/protocol/demo'
import type { Deployment, QueuedDeployment } from './deployment.ts'
import type { Change } from './deployment-documents.ts'
import { move, notPutOff } from './deployments.ts'
import { addEvent } from './events.ts'
import type { Db, Trx } from './open.ts'
import { toDeployment } from './read-deployment.ts'
import type { StoredDeployment } from './tables.ts'

/**
 * Stores a new request. It supersedes a deployment that waits already. If that one serves, it is stopped and keeps its
 * image, and is resumed when the newer one fails.
 */
export async function addDeployment(
  trx: Trx,
  demo: DemoId,
  now: string,
  sealToken: (id: DeploymentId) => Uint8Array | null,
): Promise<DeploymentId> {
  const id = randomId() as DeploymentId
  const waiting = await waitingOf(trx, demo)
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

/** The waiting deployment of a demo. */
export async function waitingOf(db: Trx, demo: DemoId): Promise<QueuedDeployment | undefined> {
  const query = db.selectFrom('deployments').selectAll().where('demo_id', '=', demo).where('state', '=', 'queued')
  return queuedOf(await query.executeTakeFirst())
}

/** Ends a waiting deployment for a newer request. The serving deployment is only stopped, and keeps its image. */
export async function makeWay(
  trx: Trx,
  row: Deployment,
  newer: DeploymentId,
  now: string,
  change: Change = {},
): Promise<void> {
  const demo = await trx.selectFrom('demos').select('serving').where('id', '=', row.demo_id).executeTakeFirst()
  const over = { ...change, token: null }
  if (demo?.serving === row.id) await move(trx, row, 'stopped', now, over)
  else
    await move(trx, row, 'superseded', now, { ...over, reason: 'a newer request took its place', superseded_by: newer })
}

/**
 * Queues the stopped deployments that should serve: their demo is wanted on, and nothing newer is on its way. Returns
 * their demos. What could not be started, or crashed too often, is left to its owner.
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
    for (const row of stopped.map(toDeployment))
      if (!(await isComing(trx, row.demo_id)) && (await returnToQueue(trx, row, now))) queued.push(row.demo_id)
    return queued
  })
}

/** Queues an ended version to be started from its image. */
export const returnToQueue = (trx: Trx, row: Deployment, now: string): Promise<boolean> =>
  move(trx, row, 'queued', now, {
    ...{ attempt: row.attempt + 1, crash_times: [], interruptions: 0 },
    ...notPutOff,
  })

/** Whether a deployment of this demo waits or is under way. */
export async function isComing(trx: Trx, demo: DemoId): Promise<boolean> {
  const open = ['queued', ...activeStates] as const
  const query = trx.selectFrom('deployments').select('id').where('demo_id', '=', demo).where('state', 'in', open)
  return (await query.executeTakeFirst()) !== undefined
}

/**
 * The deployment that goes next: the one whose owner has fewest under way, then in order of arrival, one at a time for
 * each demo. `taken` are those under way already, some of which still say `queued`. `mayBuild`: false leaves out those
 * without an image.
 */
export async function nextQueued(
  db: Db,
  taken: readonly DeploymentId[],
  mayBuild: boolean,
): Promise<QueuedDeployment | undefined> {
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
  const [first] = ready.toSorted((a, b) => load(a.user_id) - load(b.user_id))
  return queuedOf(first)
}

function queuedOf(row: StoredDeployment | undefined): QueuedDeployment | undefined {
  const deployment = row && toDeployment(row)
  return deployment?.state === 'queued' ? deployment : undefined
}
