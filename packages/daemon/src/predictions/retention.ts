import { type DemoId, type PredictionId, parseFileRef, type VisitorId } from '@origami/protocol/demo'
import type { FolderFiles } from '@origami/serving'
import type { Limits } from '../config.ts'
import type { Db } from '../store/open.ts'

/** Ids of the files that stored predictions name in their input or output. */
async function filesNamed(db: Db, column: 'input' | 'output', demo?: DemoId): Promise<string[]> {
  const rows = await db
    .selectFrom('predictions')
    .select(column)
    .$if(demo !== undefined, (query) => query.where('demo_id', '=', demo as DemoId))
    .execute()
  return rows.flatMap((row) => filesIn(row[column] ?? ''))
}

const filesIn = (json: string): string[] => json.match(/files\/[A-Za-z0-9_-]{16,64}\/[^"/\\]+/g) ?? []

/** Removes the files of one demo's predictions. */
export async function forgetFilesOf(db: Db, files: FolderFiles, demo: DemoId): Promise<void> {
  for (const text of [...(await filesNamed(db, 'input', demo)), ...(await filesNamed(db, 'output', demo))]) {
    const ref = parseFileRef(text)?.ref
    if (ref) await files.forget(ref)
  }
}

/**
 * Deletes a result of a visitor's own that ended, and files that no other prediction names.
 * False: there is none such.
 */
export async function forgetResult(db: Db, files: FolderFiles, demo: DemoId, visitor: VisitorId, id: string): Promise<boolean> {
  const row = await db
    .deleteFrom('predictions')
    .where('demo_id', '=', demo)
    .where('id', '=', id as PredictionId)
    .where('visitor', '=', visitor)
    .where('completed_at', 'is not', null)
    .returning(['input', 'output'])
    .executeTakeFirst()
  if (!row) return false
  for (const text of filesIn(row.input + (row.output ?? ''))) {
    const ref = parseFileRef(text)?.ref
    const named = await db
      .selectFrom('predictions')
      .select('id')
      .where((eb) => eb.or([eb('input', 'like', `%${text}%`), eb('output', 'like', `%${text}%`)]))
      .executeTakeFirst()
    if (ref && !named) await files.forget(ref)
  }
  return true
}

/** Results go after 30 days, uploads after 24 hours, unless what they belong to still waits or runs. */
export async function sweepOld(db: Db, files: FolderFiles, limits: Limits, now: number): Promise<void> {
  const results = new Date(now - limits.resultDays * 86_400_000)
  await db.deleteFrom('predictions').where('completed_at', '<', results.toISOString()).execute()
  const open = await db.selectFrom('predictions').select('input').where('status', 'in', ['starting', 'processing']).execute()
  const kept = [
    ...open.flatMap((row) => row.input.match(/files\/[A-Za-z0-9_-]{16,64}\//g) ?? []),
    ...(await filesNamed(db, 'output')),
  ]
  const ids = new Set(kept.flatMap((text) => text.split('/')[1] ?? []))
  await files.sweep(new Date(now - limits.uploadHours * 3_600_000), ids)
}
