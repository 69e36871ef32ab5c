import { setImmediate } from 'node:timers/promises'

/** What slices of a server aim at, so that one of costlier rows, or of a slow commit, seldom takes 10 ms. */
export const serverSliceMs = 3

export interface SlicesOptions {
  /** Things in one slice; asked anew for each. */
  readonly most?: () => number
  /** Milliseconds that no slice should take longer than. */
  readonly sliceMs?: number
  /** Milliseconds. */
  readonly clock?: () => number
}

/**
 * Work on very many rows or files, done a slice at a time on the thread that answers callers, who have their turn
 * between two slices. Slices begin with one thing, double while they take well under their time and shrink as soon as
 * they do not. How many fit is remembered by the kind of the work, since a row of one table costs what ten of another
 * do.
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
   * Repeats `work`, which gets how many it may do at most and returns how many it did, until there are no more or the
   * signal aborts.
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

  /** Half of the time is aimed at, and doubling stops at a quarter: rows of one kind differ. */
  private next(size: number, tookMs: number, isFull: boolean): number {
    if (tookMs > this.sliceMs / 2) return Math.max(1, Math.floor((size * this.sliceMs) / 2 / tookMs))
    return isFull && tookMs < this.sliceMs / 4 ? size * 2 : size
  }
}
