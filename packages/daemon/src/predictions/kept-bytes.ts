import type { Slices } from '@origami/host/slices'
import type { DemoId, FileRef } from '@origami/protocol/demo'
import type { Files, FolderFiles } from '@origami/serving'
import type { Limits } from '../config.ts'
import { keptBytes, oldestMeasured, storeBytes, type Unmeasured, unmeasuredPredictions } from '../store/kept-bytes.ts'
import type { Db } from '../store/open.ts'
import { filesOf, isNamed } from '../store/prediction-files.ts'
import { deletePrediction } from '../store/results.ts'

interface Parts {
  readonly db: Db
  readonly files: FolderFiles
  readonly limits: Pick<Limits, 'resultsDemoBytes' | 'resultsBytes'>
  readonly slices: Slices
}

/**
 * Removes results, those that ended first at the front, until each demo keeps at most its share of bytes, and all of
 * them together theirs. Works in slices, and ends between two of them when the signal aborts.
 */
export async function boundKeptBytes(parts: Parts, signal?: AbortSignal): Promise<void> {
  await measure(parts, signal)
  const { db, limits } = parts
  for (const { id, kept_bytes } of await keptBytes(db))
    if (kept_bytes > limits.resultsDemoBytes) await shed(parts, kept_bytes - limits.resultsDemoBytes, id, signal)
  const all = (await keptBytes(db)).reduce((sum, { kept_bytes }) => sum + kept_bytes, 0)
  if (all > limits.resultsBytes) await shed(parts, all - limits.resultsBytes, undefined, signal)
}

/** Stores the bytes of what ended since. */
async function measure({ db, files, slices }: Parts, signal: AbortSignal | undefined): Promise<void> {
  await slices.run('predictions that are measured', signal, async (most) => {
    const ended = await unmeasuredPredictions(db, most)
    const measured = await Promise.all(ended.map(async (one) => [one, await bytesOf(files, one)] as const))
    if (measured.length > 0)
      await db.transaction().execute(async (trx) => {
        for (const [one, bytes] of measured) await storeBytes(trx, one, bytes)
      })
    return ended.length
  })
}

async function bytesOf(files: Files, { bytes, files: refs }: Unmeasured): Promise<number> {
  const sizes = await Promise.all(refs.map(async (ref) => (await files.open(ref))?.size ?? 0))
  return sizes.reduce((sum, size) => sum + size, bytes)
}

/** Removes the oldest results until `bytes` less are kept. */
async function shed(
  { db, files, slices }: Parts,
  bytes: number,
  demo: DemoId | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  let left = bytes
  await slices.run('results that are too many', signal, async (most) => {
    const unnamed: FileRef[] = []
    const removed = await db.transaction().execute(async (trx) => {
      let count = 0
      for (const { arrival, bytes } of await oldestMeasured(trx, demo, most)) {
        if (left <= 0) break
        const refs = await filesOf(trx, arrival)
        await deletePrediction(trx, arrival)
        for (const ref of refs) if (!(await isNamed(trx, ref))) unnamed.push(ref)
        left -= bytes
        count += 1
      }
      return count
    })
    for (const ref of unnamed) await files.forget(ref)
    return removed
  })
}
