import type {
  DemoId,
  DeploymentId,
  PredictionId,
  PredictionSnapshot,
  PredictionStatus,
  VisitorId,
} from '@origami/protocol/demo'
import type { Insertable } from 'kysely'
import type { Trx } from './open.ts'
import { isOpen, ofAnyDemo } from './prediction-conditions.ts'
import type { PredictionRow, Tables } from './tables.ts'

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
  readonly commit: string | null
  readonly cancelRequested: boolean
  readonly createdAt: string
  readonly startedAt: string | null
  /** When it is stopped, once it runs. */
  readonly deadlineAt: string | null
}

/** A prediction that ended, as it is stored. */
export interface EndedPrediction {
  readonly snapshot: PredictionSnapshot
  /** The number of its last event. */
  readonly lastSeq: number
  /** About how much memory it takes, in bytes. */
  readonly size: number
}

/** All predictions that wait or run (of one demo, if given), in order of arrival, without their contents. */
export async function openPredictions(db: Trx, demo?: DemoId): Promise<OpenPrediction[]> {
  const query = selectOpen(db)
  const those = demo === undefined ? query.where(ofAnyDemo) : query.where('demo_id', '=', demo)
  const rows = await those.orderBy('arrival').execute()
  return rows.map(toOpen)
}

/** Undefined: the prediction ended, or there is none such. */
export async function openPrediction(db: Trx, arrival: number): Promise<OpenPrediction | undefined> {
  const row = await selectOpen(db).where('arrival', '=', arrival).executeTakeFirst()
  return row && toOpen(row)
}

const selectOpen = (db: Trx) => db.selectFrom('predictions').select(columns).where(isOpen)

const columns = [
  ...(['arrival', 'id', 'demo_id', 'visitor', 'address', 'status', 'sent_to', 'deployment', 'commit_sha'] as const),
  ...(['cancel_requested_at', 'created_at', 'started_at', 'deadline_at'] as const),
] as const

/** What the row of a prediction that waits or runs says. */
export const toOpen = (row: Pick<PredictionRow, (typeof columns)[number]>): OpenPrediction => ({
  arrival: row.arrival,
  id: row.id,
  demo: row.demo_id,
  visitor: row.visitor,
  address: row.address,
  running: row.status === 'processing',
  sentTo: row.sent_to,
  deployment: row.deployment,
  commit: row.commit_sha,
  cancelRequested: row.cancel_requested_at !== null,
  createdAt: row.created_at,
  startedAt: row.started_at,
  deadlineAt: row.deadline_at,
})

/** What the row of a prediction says that was stored just now. */
export const justArrived = (row: Insertable<Tables['predictions']> & { arrival: number }): OpenPrediction => ({
  arrival: row.arrival,
  id: row.id,
  demo: row.demo_id,
  visitor: row.visitor ?? null,
  address: row.address ?? null,
  running: false,
  sentTo: row.sent_to ?? null,
  deployment: row.deployment ?? null,
  commit: row.commit_sha ?? null,
  cancelRequested: false,
  createdAt: row.created_at,
  startedAt: null,
  deadlineAt: null,
})

/** How many predictions of a demo wait, and how many run. */
export async function countOpen(db: Trx, demo: DemoId): Promise<{ waiting: number; running: number }> {
  const rows = await db
    .selectFrom('predictions')
    .select((eb) => ['status', eb.fn.countAll<number>().as('count')])
    .where('demo_id', '=', demo)
    .where(isOpen)
    .groupBy('status')
    .execute()
  const count = (status: PredictionStatus) => Number(rows.find((row) => row.status === status)?.count ?? 0)
  return { waiting: count('starting'), running: count('processing') }
}

/** How many predictions run at a deployment or are on their way to it. */
export async function runningOn(db: Trx, deployment: DeploymentId): Promise<number> {
  const { count } = await db
    .selectFrom('predictions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deployment', '=', deployment)
    .where(isOpen)
    .executeTakeFirstOrThrow()
  return Number(count)
}
