import type {
  DemoId,
  DeploymentId,
  EndStatus,
  FailureReason,
  FileRef,
  PredictionId,
  PredictionStatus,
  VisitorId,
} from '@origami/protocol/demo'
import { type Insertable, sql, type Updateable } from 'kysely'
import type { Trx } from './open.ts'
import { addFiles } from './prediction-files.ts'
import type { PredictionRow, Tables } from './tables.ts'

/** A prediction to store, with the files that its input names. */
export interface NewPrediction {
  readonly row: Insertable<Tables['predictions']>
  readonly files: readonly FileRef[]
}

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

/**
 * How many predictions one call of `addPredictions` may store, since SQLite limits the bound parameters of a statement.
 */
export const maxAdded = 500

/**
 * Stores at most `maxAdded` new predictions. An id that the demo has already stays unchanged. Returns the new ones with
 * their arrival.
 */
export async function addPredictions(
  trx: Trx,
  predictions: readonly NewPrediction[],
): Promise<{ arrival: number; demo_id: DemoId; id: PredictionId }[]> {
  const added = await trx
    .insertInto('predictions')
    .values(predictions.map(({ row }) => row))
    .onConflict((conflict) => conflict.columns(['demo_id', 'id']).doNothing())
    .returning(['arrival', 'demo_id', 'id'])
    .execute()
  for (const { arrival, demo_id, id } of added) {
    const files = predictions.find(({ row }) => row.demo_id === demo_id && row.id === id)?.files ?? []
    await addFiles(trx, arrival, 'input', files)
  }
  return added
}

export async function predictionById(db: Trx, demo: DemoId, id: PredictionId): Promise<PredictionRow | undefined> {
  return db.selectFrom('predictions').selectAll().where('demo_id', '=', demo).where('id', '=', id).executeTakeFirst()
}

export async function predictionByArrival(db: Trx, arrival: number): Promise<PredictionRow | undefined> {
  return db.selectFrom('predictions').selectAll().where('arrival', '=', arrival).executeTakeFirst()
}

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

/** Changes a prediction that is still in the state `from`. False: it is not. */
export async function changePrediction(
  trx: Trx,
  arrival: number,
  from: PredictionStatus,
  change: Updateable<Tables['predictions']>,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set(change)
    .where('arrival', '=', arrival)
    .where('status', '=', from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The columns that an end of a prediction sets. */
export type PredictionEnd = Updateable<Tables['predictions']> & { status: EndStatus; completed_at: string }

/**
 * Ends predictions whose row has the time of an end but no ended state, because nothing would follow them any more.
 * Returns how many.
 */
export async function repairEnded(db: Trx): Promise<number> {
  const error = 'How this ended is not known; run it again.'
  const { numUpdatedRows } = await db
    .updateTable('predictions')
    .set({ status: 'failed', reason: 'interrupted', error })
    .where('status', 'in', ['starting', 'processing'])
    .where('completed_at', 'is not', null)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Ends a prediction that has not ended. False: it has. */
export async function endPrediction(trx: Trx, arrival: number, end: PredictionEnd): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set(end)
    .where('arrival', '=', arrival)
    .where('completed_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/**
 * Ends a prediction as its instance reported, with the files of its output, and counts a run of its demo. False: it has
 * ended already.
 */
export async function completePrediction(
  trx: Trx,
  { arrival, demo_id }: Pick<PredictionRow, 'arrival' | 'demo_id'>,
  end: PredictionEnd,
  files: readonly FileRef[],
): Promise<boolean> {
  if (!(await endPrediction(trx, arrival, end))) return false
  await addFiles(trx, arrival, 'output', files)
  await trx
    .updateTable('demos')
    .set((eb) => ({ runs: eb('runs', '+', 1) }))
    .where('id', '=', demo_id)
    .execute()
  return true
}

/** Cancels a prediction that was sent to no instance. False: there is no such prediction. */
export async function cancelUnsent(trx: Trx, arrival: number, now: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set({ status: 'canceled', completed_at: now, cancel_requested_at: now, last_seq: 1 })
    .where('arrival', '=', arrival)
    .where('status', '=', 'starting')
    .where('sent_to', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/**
 * Stores that a prediction which has not ended is to be canceled. Repeating it changes nothing. False: it has ended.
 */
export async function requestCancel(trx: Trx, arrival: number, now: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set((eb) => ({ cancel_requested_at: eb.fn.coalesce('cancel_requested_at', eb.val(now)) }))
    .where('arrival', '=', arrival)
    .where('completed_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Fails the predictions that wait for a demo. Returns how many. */
export async function failWaiting(
  trx: Trx,
  demo: DemoId,
  reason: FailureReason,
  error: string,
  now: string,
): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set({ status: 'failed', reason, error, completed_at: now, last_seq: 1 })
    .where('demo_id', '=', demo)
    .where('status', '=', 'starting')
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** The durations in seconds of the last runs that succeeded, at most 20. */
export async function lastTimes(db: Trx, demo: DemoId): Promise<number[]> {
  const rows = await db
    .selectFrom('predictions')
    .select('predict_time')
    .where('demo_id', '=', demo)
    .where('status', '=', 'succeeded')
    .orderBy('arrival', 'desc')
    .limit(20)
    .execute()
  return rows.flatMap((row) => row.predict_time ?? [])
}

/** Which part of a visitor's predictions to read. */
export interface Page {
  /** Only those that arrived before this number. */
  readonly before: number
  readonly limit: number
  /** The bytes of stored data on a page. The first prediction of a page may exceed it. */
  readonly bytes: number
}

/** A page of a visitor's predictions, newest first. `next` is where the older ones begin, if there are any. */
export async function predictionsOfVisitor(db: Trx, demo: DemoId, visitor: VisitorId, { before, limit, bytes }: Page) {
  const found = await db
    .selectFrom('predictions')
    .select('arrival')
    // `length` would read each text to its end.
    .select(sql<number>`octet_length(input) + coalesce(octet_length(output), 0) + octet_length(logs)`.as('bytes'))
    .where('demo_id', '=', demo)
    .where('visitor', '=', visitor)
    .where('arrival', '<', before)
    .orderBy('arrival', 'desc')
    .limit(limit + 1)
    .execute()
  let left = bytes
  const page: number[] = []
  for (const row of found.slice(0, limit)) {
    left -= row.bytes
    if (left < 0 && page.length > 0) break
    page.push(row.arrival)
  }
  const query = db.selectFrom('predictions').selectAll().where('arrival', 'in', page).orderBy('arrival', 'desc')
  const next = found.length > page.length ? page.at(-1) : undefined
  return { rows: page.length > 0 ? await query.execute() : [], next }
}

/** Whether a version completed a prediction. */
export async function hasSucceeded(db: Trx, deployment: DeploymentId): Promise<boolean> {
  const row = await db
    .selectFrom('predictions')
    .select('arrival')
    .where('deployment', '=', deployment)
    .where('status', '=', 'succeeded')
    .executeTakeFirst()
  return row !== undefined
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

/** The arrival of a visitor's ended prediction. Undefined: there is none. */
export async function endedOfVisitor(
  trx: Trx,
  demo: DemoId,
  visitor: VisitorId,
  id: PredictionId,
): Promise<number | undefined> {
  const row = await trx
    .selectFrom('predictions')
    .select('arrival')
    .where('demo_id', '=', demo)
    .where('id', '=', id)
    .where('visitor', '=', visitor)
    .where('completed_at', 'is not', null)
    .executeTakeFirst()
  return row?.arrival
}

/** Deletes a prediction with the rows of its files. */
export async function deletePrediction(trx: Trx, arrival: number): Promise<void> {
  await trx.deleteFrom('predictions').where('arrival', '=', arrival).execute()
}

/** Removes at most `rows` of the predictions that ended before `before`. Returns how many. */
export async function sweepPredictions(db: Trx, before: string, rows: number): Promise<number> {
  const old = db.selectFrom('predictions').select('arrival').where('completed_at', '<', before).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('predictions').where('arrival', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Removes at most `rows` of a demo's ended predictions. Returns how many. */
export async function deleteEnded(db: Trx, demo: DemoId, rows: number): Promise<number> {
  const ended = db
    .selectFrom('predictions')
    .select('arrival')
    .where('demo_id', '=', demo)
    .where('completed_at', 'is not', null)
    .limit(rows)
  const { numDeletedRows } = await db.deleteFrom('predictions').where('arrival', 'in', ended).executeTakeFirst()
  return Number(numDeletedRows)
}

/**
 * Ends a demo's waiting predictions that were sent nowhere, and requests a cancel of the other waiting ones. Returns
 * their arrivals.
 */
export async function cancelWaiting(trx: Trx, demo: DemoId, now: string): Promise<number[]> {
  const ended = await trx
    .updateTable('predictions')
    .set({ status: 'canceled', completed_at: now, cancel_requested_at: now, last_seq: 1 })
    .where('demo_id', '=', demo)
    .where('status', '=', 'starting')
    .where('sent_to', 'is', null)
    .returning('arrival')
    .execute()
  const asked = await trx
    .updateTable('predictions')
    .set({ cancel_requested_at: now })
    .where('demo_id', '=', demo)
    .where('status', '=', 'starting')
    .where('cancel_requested_at', 'is', null)
    .returning('arrival')
    .execute()
  return [...ended, ...asked].map(({ arrival }) => arrival)
}
