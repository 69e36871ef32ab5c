import type { DemoId, FileRef } from '@origami/protocol/demo'
import { parseFileRef } from '@origami/protocol/demo'
import type { Db, Trx } from './open.ts'

/** Stores which files a prediction names. */
export async function addFiles(
  trx: Trx,
  prediction: number,
  side: 'input' | 'output',
  refs: readonly FileRef[],
): Promise<void> {
  const rows = refs.flatMap((ref) => {
    const file = parseFileRef(ref)?.id
    return file ? [{ prediction, side, file, ref }] : []
  })
  if (rows.length === 0) return
  await trx
    .insertInto('prediction_files')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function filesOf(db: Trx, prediction: number): Promise<FileRef[]> {
  const rows = await db
    .selectFrom('prediction_files')
    .select('ref')
    .distinct()
    .where('prediction', '=', prediction)
    .execute()
  return rows.map(({ ref }) => ref)
}

/** Files that only this demo's predictions name, after `after` in order, at most `limit`. */
export async function filesOfDemo(db: Db, demo: DemoId, after: string, limit: number): Promise<FileRef[]> {
  const rows = await db
    .selectFrom('predictions')
    .innerJoin('prediction_files', 'prediction_files.prediction', 'predictions.arrival')
    .select('prediction_files.ref')
    .distinct()
    .where('predictions.demo_id', '=', demo)
    .where('prediction_files.ref', '>', after as FileRef)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('prediction_files as other')
            .innerJoin('predictions as named', 'named.arrival', 'other.prediction')
            .select('other.file')
            .whereRef('other.file', '=', 'prediction_files.file')
            .where('named.demo_id', '!=', demo),
        ),
      ),
    )
    .orderBy('prediction_files.ref')
    .limit(limit)
    .execute()
  return rows.map(({ ref }) => ref)
}

/** Whether any prediction names this file. */
export async function isNamed(db: Trx, ref: FileRef): Promise<boolean> {
  const file = parseFileRef(ref)?.id ?? ''
  return (
    (await db.selectFrom('prediction_files').select('file').where('file', '=', file).executeTakeFirst()) !== undefined
  )
}

/**
 * Whether a file, by its id, is still needed: a stored result names it, or it is the input of a prediction that waits
 * or runs.
 */
export async function isWanted(db: Trx, file: string): Promise<boolean> {
  const row = await db
    .selectFrom('prediction_files')
    .innerJoin('predictions', 'predictions.arrival', 'prediction_files.prediction')
    .select('prediction_files.file')
    .where('prediction_files.file', '=', file)
    .where((eb) => eb.or([eb('prediction_files.side', '=', 'output'), eb('predictions.completed_at', 'is', null)]))
    .executeTakeFirst()
  return row !== undefined
}
