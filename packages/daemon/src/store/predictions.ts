import type { DemoId, DeploymentId, FailureReason, PredictionId, PredictionStatus, VisitorId } from '@origami/protocol/demo'
import type { Insertable, Updateable } from 'kysely'
import type { Waiting } from '../predictions/next.ts'
import type { Trx } from './open.ts'
import type { PredictionRow, Tables } from './tables.ts'

/** Stores new predictions; an id that the demo has already stays as it is. */
export async function addPredictions(trx: Trx, rows: readonly Insertable<Tables['predictions']>[]): Promise<void> {
  await trx
    .insertInto('predictions')
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['demo_id', 'id']).doNothing())
    .execute()
}

export async function predictionById(db: Trx, demo: DemoId, id: PredictionId): Promise<PredictionRow | undefined> {
  return db.selectFrom('predictions').selectAll().where('demo_id', '=', demo).where('id', '=', id).executeTakeFirst()
}

/** All that wait or run (of one demo), in order of arrival, without what is in them. */
export async function openPredictions(db: Trx, demo?: DemoId): Promise<Waiting[]> {
  const rows = await db
    .selectFrom('predictions')
    .select(['id', 'demo_id', 'visitor', 'status'])
    .where('status', 'in', ['starting', 'processing'])
    .$if(demo !== undefined, (query) => query.where('demo_id', '=', demo as DemoId))
    .orderBy('arrival')
    .execute()
  return rows.map(({ id, demo_id, visitor, status }) => ({ id, demo: demo_id, visitor, running: status === 'processing' }))
}

/** Changes a prediction that is still in `from`. False: it is not. */
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

/** Fails what waits for a demo. Returns how many. */
export async function failWaiting(trx: Trx, demo: DemoId, reason: FailureReason, error: string, now: string): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set({ status: 'failed', reason, error, completed_at: now, last_seq: 1 })
    .where('demo_id', '=', demo)
    .where('status', '=', 'starting')
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Seconds of the last runs that succeeded, at most 20. */
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

/** A visitor's own, newest first. */
export async function predictionsOfVisitor(db: Trx, demo: DemoId, visitor: VisitorId, limit: number): Promise<PredictionRow[]> {
  return db
    .selectFrom('predictions')
    .selectAll()
    .where('demo_id', '=', demo)
    .where('visitor', '=', visitor)
    .orderBy('arrival', 'desc')
    .limit(limit)
    .execute()
}

export async function runningOn(db: Trx, deployment: DeploymentId): Promise<number> {
  const { count } = await db
    .selectFrom('predictions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('deployment', '=', deployment)
    .where('status', '=', 'processing')
    .executeTakeFirstOrThrow()
  return count
}
