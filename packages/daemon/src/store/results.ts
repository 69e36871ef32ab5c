import type { DemoId, DeploymentId, PredictionId, VisitorId } from '@origami/protocol/demo'
import { sql } from 'kysely'
import type { Trx } from './open.ts'
import { isSucceeded } from './prediction-conditions.ts'

/** The durations in seconds of the last runs that succeeded, at most `most`, newest first. */
export async function lastTimes(db: Trx, demo: DemoId, most: number): Promise<{ arrival: number; seconds: number }[]> {
  const rows = await db
    .selectFrom('predictions')
    .select(['arrival', 'predict_time'])
    .where('demo_id', '=', demo)
    .where(isSucceeded)
    .orderBy('arrival', 'desc')
    .limit(most)
    .execute()
  return rows.flatMap(({ arrival, predict_time: seconds }) => (seconds === null ? [] : [{ arrival, seconds }]))
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
    .where(isSucceeded)
    .executeTakeFirst()
  return row !== undefined
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
