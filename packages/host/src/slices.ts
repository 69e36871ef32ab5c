import { setImmediate } from 'node:timers/promises'

/**
 * The target time for a server's slices, low enough that a slice of costlier rows, or with a slow commit, seldom takes
 * 10 ms.
 */
export const serverSliceMs = 3

export interface SlicesOptions {
  /** The most things in one slice. Read anew for each slice. */
  readonly most?: () => number
  /** The time in milliseconds that no slice should exceed. */
  readonly sliceMs?: number
  /** The present time in milliseconds. */
  readonly clock?: () => number
}

/**
 * Does work on very many rows or files in slices, on the thread that answers callers, so that they have their turn
 * between two slices. Slices begin with one thing, double while they take much less than their time, and shrink as soon
 * as they do not. The size that fits is kept for each kind of work, since a row of one table may cost as much as ten of
 * another.
 */
export class Slices {
  private readonly most: () => number
  private readonly sliceMs: number
  private readonly clock: () => number
  private readonly sizes = new Map<string, number>()

  constructor({ most = () => 1000, sliceMs = 10, clock = () => performance.now() }: SlicesOptions = {}) {
    this.most = most
    this.sliceMs = sliceMs
    this.clock = clock
  }

  /**
   * Repeats `work` until nothing is left or the signal aborts. `work` gets the most that it may do, and returns how
   * many it did.
   */
  async run(
    kind: string,
    signal: AbortSignal | undefined,
    work: (most: number) => number | Promise<number>,
  ): Promise<void> {
    while (!signal?.aborted) {
      const size = Math.min(this.sizes.get(kind) ?? 1, this.most())
      const start = this.clock()
      const done = await work(size)
      const isFull = done >= size
      this.sizes.set(kind, this.next(size, this.clock() - start, isFull))
      if (!isFull) return
      await setImmediate()
    }
  }

  /** Aims at half of the time, and stops doubling at a quarter, because rows of one kind differ. */
  private next(size: number, tookMs: number, isFull: boolean): number {
    if (tookMs > this.sliceMs / 2) return Math.max(1, Math.floor((size * this.sliceMs) / 2 / tookMs))
    return isFull && tookMs < this.sliceMs / 4 ? size * 2 : size
  }
}
