import type { DemoId, FileRef } from '@origami/protocol/demo'
import { sql } from 'kysely'
import type { Db, Trx } from './open.ts'
import { ofAnyDemo } from './prediction-conditions.ts'

/** An ended prediction, with the bytes of its row and the files that it put out. */
export interface Unmeasured {
  readonly arrival: number
  readonly demo: DemoId
  readonly bytes: number
  readonly files: readonly FileRef[]
}

const isUnmeasured = sql<boolean>`completed_at IS NOT NULL AND bytes IS NULL`
const isMeasured = sql<boolean>`bytes IS NOT NULL`

/** Ended predictions whose bytes are not stored yet. */
export async function unmeasuredPredictions(db: Db, most: number): Promise<Unmeasured[]> {
  const rows = await db
    .selectFrom('predictions')
    .select(['arrival', 'demo_id as demo'])
    // `length` would read each text to its end.
    .select(sql<number>`octet_length(input) + coalesce(octet_length(output), 0) + octet_length(logs)`.as('bytes'))
    .where(ofAnyDemo)
    .where(isUnmeasured)
    .limit(most)
    .execute()
  if (rows.length === 0) return []
  const files = await db
    .selectFrom('prediction_files')
    .select(['prediction', 'ref'])
    .where('side', '=', 'output')
    .where(
      'prediction',
      'in',
      rows.map(({ arrival }) => arrival),
    )
    .execute()
  const filesOf = Map.groupBy(files, ({ prediction }) => prediction)
  return rows.map((row) => ({ ...row, files: filesOf.get(row.arrival)?.map(({ ref }) => ref) ?? [] }))
}

/** Stores the bytes that an ended prediction keeps, with its files, unless they are stored already. */
export async function storeBytes(
  trx: Trx,
  { arrival, demo }: Pick<Unmeasured, 'arrival' | 'demo'>,
  bytes: number,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('predictions')
    .set({ bytes })
    .where('arrival', '=', arrival)
    .where('bytes', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return
  await trx
    .updateTable('demos')
    .set((eb) => ({ kept_bytes: eb('kept_bytes', '+', bytes) }))
    .where('id', '=', demo)
    .execute()
}

/** The bytes that the ended predictions of each demo keep. */
export const keptBytes = (db: Db): Promise<{ id: DemoId; kept_bytes: number }[]> =>
  db.selectFrom('demos').select(['id', 'kept_bytes']).execute()

/** The ended predictions that are measured, of one demo or of all, those that ended first at the front. */
export async function oldestMeasured(
  trx: Trx,
  demo: DemoId | undefined,
  most: number,
): Promise<{ arrival: number; bytes: number }[]> {
  const query = trx.selectFrom('predictions').select(['arrival', 'bytes']).where(isMeasured).limit(most)
  const rows = await (demo === undefined
    ? query.where('completed_at', '>', '').orderBy('completed_at')
    : query.where('demo_id', '=', demo).orderBy('arrival')
  ).execute()
  return rows.map(({ arrival, bytes }) => ({ arrival, bytes: bytes ?? 0 }))
}

/** Stores that a file was uploaded for a demo. */
export async function addUpload(
  trx: Trx,
  upload: { file: string; demo_id: DemoId; bytes: number; at: string },
): Promise<void> {
  await trx
    .insertInto('uploads')
    .values(upload)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The bytes that were uploaded for a demo and are kept. */
export async function uploadedBytes(db: Db, demo: DemoId): Promise<number> {
  const query = db.selectFrom('uploads').select((eb) => eb.fn.sum<number | null>('bytes').as('bytes'))
  return (await query.where('demo_id', '=', demo).executeTakeFirst())?.bytes ?? 0
}

/** Forgets at most `rows` uploads from before `before`. Returns how many. */
export async function sweepUploads(db: Db, before: string, rows: number): Promise<number> {
  const old = db.selectFrom('uploads').select('file').where('at', '<', before).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('uploads').where('file', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
