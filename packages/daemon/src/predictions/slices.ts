import { setImmediate } from 'node:timers/promises'
import type { Limits } from '../config.ts'

/** SQLite works on the thread that answers callers: no slice should keep it longer. */
const sliceMs = 10

/** Repeats `work`, which returns how many rows it changed of at most so many, until none is left. Others get their turn in between. */
export async function inSlices(
  { sweepRows }: Pick<Limits, 'sweepRows'>,
  signal: AbortSignal | undefined,
  work: (rows: number) => Promise<number>,
): Promise<void> {
  for (let rows = sweepRows; !signal?.aborted; ) {
    const start = performance.now()
    const changed = await work(rows)
    if (changed < rows) return
    rows = performance.now() - start > sliceMs ? Math.max(1, Math.floor(rows / 2)) : Math.min(sweepRows, rows * 2)
    await turn()
  }
}

/** Lets whatever else waits go on first. */
export const turn = (): Promise<void> => setImmediate()
