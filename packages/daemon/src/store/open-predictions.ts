import type { DemoId, DeploymentId, PredictionId, PredictionStatus, VisitorId } from '@origami/protocol/demo'
import type { Trx } from './open.ts'
import type { PredictionRow } from './tables.ts'

/** A prediction that waits or runs, without its contents. */
export interface OpenPrediction {
  readonly arrival: number
  readonly id: PredictionId
  readonly demo: DemoId
  readonly visitor: VisitorId | null
  /** Its caller's address, if its visitor is only a cookie. */
  readonly address: string | null
  readonly running: boolean
  readonly sentTo: string | null
  readonly deployment: DeploymentId | null
  readonly cancelRequested: boolean
  readonly createdAt: string
  readonly startedAt: string | null
}

const openStatuses: readonly PredictionStatus[] = ['starting', 'processing']

/** All predictions that wait or run (of one demo, if given), in order of arrival, without their contents. */
export async function openPredictions(db: Trx, demo?: DemoId): Promise<OpenPrediction[]> {
  const rows = await selectOpen(db)
    .$if(demo !== undefined, (query) => query.where('demo_id', '=', demo as DemoId))
    .orderBy('arrival')
    .execute()
  return rows.map(toOpen)
}

/** Undefined: the prediction ended, or there is none such. */
export async function openPrediction(db: Trx, arrival: number): Promise<OpenPrediction | undefined> {
  const row = await selectOpen(db).where('arrival', '=', arrival).executeTakeFirst()
  return row && toOpen(row)
}

const selectOpen = (db: Trx) =>
  db
    .selectFrom('predictions')
    .select(['arrival', 'id', 'demo_id', 'visitor', 'address', 'status', 'sent_to', 'deployment'])
    .select(['cancel_requested_at', 'created_at', 'started_at'])
    .where('status', 'in', openStatuses)

type OpenRow = Pick<
  PredictionRow,
  | 'arrival'
  | 'id'
  | 'demo_id'
  | 'visitor'
  | 'address'
  | 'status'
  | 'sent_to'
  | 'deployment'
  | 'cancel_requested_at'
  | 'created_at'
  | 'started_at'
>

/** What the row of a prediction that waits or runs says. */
const toOpen = (row: OpenRow): OpenPrediction => ({
  arrival: row.arrival,
  id: row.id,
  demo: row.demo_id,
  visitor: row.visitor,
  address: row.address,
  running: row.status === 'processing',
  sentTo: row.sent_to,
  deployment: row.deployment,
  cancelRequested: row.cancel_requested_at !== null,
  createdAt: row.created_at,
  startedAt: row.started_at,
})

/** How many predictions of a demo wait, and how many run. */
export async function countOpen(db: Trx, demo: DemoId): Promise<{ waiting: number; running: number }> {
  const rows = await db
    .selectFrom('predictions')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .where('demo_id', '=', demo)
    .where('status', 'in', openStatuses)
    .groupBy('status')
    .execute()
  const count = (status: PredictionStatus) => Number(rows.find((row) => row.status === status)?.count ?? 0)
  return { waiting: count('starting'), running: count('processing') }
}

/** How many predictions wait for these demos, by visitor and address. */
export async function countWaiting(db: Trx, demos: readonly DemoId[]) {
  const rows = await db
    .selectFrom('predictions')
    .select((eb) => ['demo_id', 'visitor', 'address', eb.fn.countAll<number>().as('count')])
    .where('demo_id', 'in', demos)
    .where('status', '=', 'starting')
    .groupBy(['demo_id', 'visitor', 'address'])
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}

/** How many predictions run at a deployment or are on their way to it. */
export async function runningOn(db: Trx, deployment: DeploymentId): Promise<number> {
  const { count } = await db
    .selectFrom('predictions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deployment', '=', deployment)
    .where('status', 'in', openStatuses)
    .executeTakeFirstOrThrow()
  return Number(count)
}
