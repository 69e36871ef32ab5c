import type { Slices } from '@origami/host/slices'
import type { DemoId, FileRef, PredictionId, VisitorId } from '@origami/protocol/demo'
import type { FolderFiles } from '@origami/serving'
import type { Limits } from '../config.ts'
import { demoIds } from '../store/demos.ts'
import { sweepDeployments } from '../store/deployments.ts'
import { deleteEvents, sweepCrowdedEvents, sweepOldEvents } from '../store/events.ts'
import type { Db } from '../store/open.ts'
import { filesOf, filesOfDemo, isNamed, isWanted } from '../store/prediction-files.ts'
import { deleteEnded, deletePrediction, endedOfVisitor, sweepPredictions } from '../store/results.ts'
import { boundKeptBytes } from './kept-bytes.ts'
import type { UploadCounts } from './upload-counts.ts'

/** What sweeping needs. The slices keep from sweep to sweep how many rows fit one slice. */
export interface RetentionParts {
  readonly db: Db
  readonly files: FolderFiles
  readonly limits: Limits
  readonly slices: Slices
  readonly uploads?: UploadCounts
}

/**
 * Removes a demo's ended predictions, their files (except those that another demo's predictions name) and its events.
 * These may be very many, so removing the demo afterwards is a small step.
 */
export async function forgetRunsOf({ db, files, slices }: RetentionParts, demo: DemoId): Promise<void> {
  let after = ''
  await slices.run('files of a demo', undefined, async (most) => {
    const refs = await filesOfDemo(db, demo, after, most)
    for (const ref of refs) await files.forget(ref)
    after = refs.at(-1) ?? after
    return refs.length
  })
  await slices.run('predictions', undefined, (rows) => deleteEnded(db, demo, rows))
  await slices.run('events', undefined, (rows) => deleteEvents(db, demo, rows))
}

/**
 * Deletes an ended result of a visitor, and its files that no other prediction names. False: there is no such result.
 */
export async function forgetResult(
  db: Db,
  files: FolderFiles,
  demo: DemoId,
  visitor: VisitorId,
  id: PredictionId,
): Promise<boolean> {
  const left = await db.transaction().execute(async (trx): Promise<FileRef[] | undefined> => {
    const arrival = await endedOfVisitor(trx, demo, visitor, id)
    if (arrival === undefined) return undefined
    const refs = await filesOf(trx, arrival)
    await deletePrediction(trx, arrival)
    const unnamed: FileRef[] = []
    for (const ref of refs) if (!(await isNamed(trx, ref))) unnamed.push(ref)
    return unnamed
  })
  for (const ref of left ?? []) await files.forget(ref)
  return left !== undefined
}

/**
 * Removes what is older or more than its limit: results, canceled predictions, events, ended deployments, and uploads
 * unless a prediction that waits or runs needs them. Works in slices so that nobody waits for it. An aborted signal
 * ends it between two slices.
 */
export async function sweepOld(
  { db, files, limits, slices, uploads }: RetentionParts,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  const before = (ms: number) => new Date(now - ms).toISOString()
  const [results, events] = [before(limits.resultDays * 86_400_000), before(limits.eventDays * 86_400_000)]
  await slices.run('predictions', signal, (rows) => sweepPredictions(db, results, rows))
  await slices.run('events', signal, (rows) => sweepOldEvents(db, events, rows))
  await slices.run('events', signal, (rows) => sweepCrowdedEvents(db, limits.eventsKept, rows))
  for (const demo of await demoIds(db))
    await slices.run('deployments', signal, (rows) => sweepDeployments(db, demo, limits.deploymentsKept, rows))
  await boundKeptBytes({ db, files, limits, slices }, signal)
  const uploaded = before(limits.uploadHours * 3_600_000)
  if (uploads) await slices.run('uploads', signal, (rows) => uploads.sweep(uploaded, rows))
  const wanted = { has: (file: string) => isWanted(db, file) }
  await files.sweep(new Date(uploaded), wanted, { slices, signal })
}
