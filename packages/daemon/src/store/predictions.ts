import type {
  DemoId,
  EndStatus,
  FailureReason,
  FileRef,
  Input,
  PredictionId,
  PredictionStatus,
} from '@origami/protocol/demo'
import type { Insertable, Updateable } from 'kysely'
import { runCompiled } from './compiled.ts'
import type { Trx } from './open.ts'
import { isOpen, ofAnyDemo } from './prediction-conditions.ts'
import { addFiles } from './prediction-files.ts'
import type { PredictionRow, Tables } from './tables.ts'

/** A prediction to store, with the files that its input names. */
export interface NewPrediction {
  readonly row: Insertable<Tables['predictions']>
  readonly files: readonly FileRef[]
  /** The input of the row, parsed, where it is at hand. */
  readonly input?: Input
}

/**
 * Stores a prediction of a demo that is wanted on. Returns its arrival. Undefined: the demo was stopped or removed, or
 * has a prediction of this id, which stays unchanged.
 */
export async function addPrediction(trx: Trx, { row, files }: NewPrediction): Promise<number | undefined> {
  const columns = Object.keys(row) as (keyof typeof row)[]
  const values = columns.map((column) => row[column])
  const query = () =>
    trx
      .insertInto('predictions')
      .columns(columns)
      .expression((eb) =>
        eb
          .selectFrom('demos')
          .select(columns.map((column) => eb.val(row[column]).as(column)))
          .where('id', '=', row.demo_id)
          .where('want', '=', 'on'),
      )
      .onConflict((conflict) => conflict.columns(['demo_id', 'id']).doNothing())
      .returning('arrival')
  const { rows } = await runCompiled(trx, `add ${columns}`, [...values, row.demo_id, 'on'], query)
  const [added] = rows
  if (added && files.length > 0) await addFiles(trx, added.arrival, 'input', files)
  return added?.arrival
}

export async function predictionById(db: Trx, demo: DemoId, id: PredictionId): Promise<PredictionRow | undefined> {
  return db.selectFrom('predictions').selectAll().where('demo_id', '=', demo).where('id', '=', id).executeTakeFirst()
}

export async function predictionByArrival(db: Trx, arrival: number): Promise<PredictionRow | undefined> {
  return db.selectFrom('predictions').selectAll().where('arrival', '=', arrival).executeTakeFirst()
}

/** Undefined: there is no such prediction. */
export async function inputOf(db: Trx, arrival: number): Promise<string | undefined> {
  const row = await db.selectFrom('predictions').select('input').where('arrival', '=', arrival).executeTakeFirst()
  return row?.input
}

/** Changes a prediction that is still in the state `from`. False: it is not. */
export async function changePrediction(
  trx: Trx,
  arrival: number,
  from: PredictionStatus,
  change: Updateable<Tables['predictions']>,
): Promise<boolean> {
  const query = () =>
    trx.updateTable('predictions').set(change).where('arrival', '=', arrival).where('status', '=', from)
  const shape = `change ${Object.keys(change)}`
  const { numAffectedRows = 0n } = await runCompiled(trx, shape, [...Object.values(change), arrival, from], query)
  return numAffectedRows > 0n
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
    .where(ofAnyDemo)
    .where(isOpen)
    .where('completed_at', 'is not', null)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Ends a prediction that has not ended. False: it has. */
export async function endPrediction(trx: Trx, arrival: number, end: PredictionEnd): Promise<boolean> {
  const query = () =>
    trx.updateTable('predictions').set(end).where('arrival', '=', arrival).where('completed_at', 'is', null)
  const { numAffectedRows = 0n } = await runCompiled(
    trx,
    `end ${Object.keys(end)}`,
    [...Object.values(end), arrival],
    query,
  )
  return numAffectedRows > 0n
}

/**
 * Ends a prediction as its instance reported, with the files of its output. `ran` counts a run of its demo. False: it
 * has ended already.
 */
export async function completePrediction(
  trx: Trx,
  { arrival, demo }: { arrival: number; demo: DemoId },
  end: PredictionEnd,
  files: readonly FileRef[],
  ran: (demo: DemoId) => void,
): Promise<boolean> {
  if (!(await endPrediction(trx, arrival, end))) return false
  if (files.length > 0) await addFiles(trx, arrival, 'output', files)
  ran(demo)
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
    .where(isOpen)
    .where('status', '=', 'starting')
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Ends a demo's waiting predictions that were sent nowhere, and requests a cancel of the other waiting ones. */
export async function cancelWaiting(
  trx: Trx,
  demo: DemoId,
  now: string,
): Promise<{ /** Arrivals. */ readonly ended: number[]; readonly asked: number[] }> {
  const ended = await trx
    .updateTable('predictions')
    .set({ status: 'canceled', completed_at: now, cancel_requested_at: now, last_seq: 1 })
    .where('demo_id', '=', demo)
    .where(isOpen)
    .where('status', '=', 'starting')
    .where('sent_to', 'is', null)
    .returning('arrival')
    .execute()
  const asked = await trx
    .updateTable('predictions')
    .set({ cancel_requested_at: now })
    .where('demo_id', '=', demo)
    .where(isOpen)
    .where('status', '=', 'starting')
    .where('cancel_requested_at', 'is', null)
    .returning('arrival')
    .execute()
  return { ended: ended.map(({ arrival }) => arrival), asked: asked.map(({ arrival }) => arrival) }
}
