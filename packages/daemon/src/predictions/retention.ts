import type { DemoId, FileRef, PredictionId, VisitorId } from '@origami/protocol/demo'
import type { FolderFiles } from '@origami/serving'
import type { Limits } from '../config.ts'
import { demoIds } from '../store/demos.ts'
import { sweepDeployments } from '../store/deployments.ts'
import { sweepEvents } from '../store/events.ts'
import type { Db } from '../store/open.ts'
import { filesOf, filesOfDemo, isNamed, isWanted } from '../store/prediction-files.ts'
import { deletePrediction, endedOfVisitor, sweepPredictions } from '../store/predictions.ts'
import { inSlices, turn } from './slices.ts'

/** Files that are asked for at once. */
const filesAtOnce = 200

/** Removes the files of one demo's predictions, but for those that another demo's name too. */
export async function forgetFilesOf(db: Db, files: FolderFiles, demo: DemoId): Promise<void> {
  for (let after = ''; ; ) {
    const refs = await filesOfDemo(db, demo, after, filesAtOnce)
    for (const ref of refs) await files.forget(ref)
    const last = refs.at(-1)
    if (!last) return
    after = last
  }
}

/**
 * Deletes a result of a visitor's own that ended, and files that no other prediction names.
 * False: there is none such.
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
 * What is over its time goes: results and what was cancelled, uploads unless what they belong to still waits or runs, events, deployments that
 * ended. In slices, so that nobody waits for it; an aborted signal ends it between two.
 */
export async function sweepOld(db: Db, files: FolderFiles, limits: Limits, now: number, signal?: AbortSignal): Promise<void> {
  const before = (ms: number) => new Date(now - ms).toISOString()
  await inSlices(limits, signal, (rows) => sweepPredictions(db, before(limits.resultDays * 86_400_000), rows))
  await inSlices(limits, signal, (rows) => sweepEvents(db, before(limits.eventDays * 86_400_000), limits.eventsKept, rows))
  for (const demo of await demoIds(db)) {
    await inSlices(limits, signal, (rows) => sweepDeployments(db, demo, limits.deploymentsKept, rows))
    await turn()
    if (signal?.aborted) return
  }
  const wanted = { has: (file: string) => (signal?.aborted ? true : isWanted(db, file)) }
  await files.sweep(new Date(now - limits.uploadHours * 3_600_000), wanted)
}
