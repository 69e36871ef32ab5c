/** How long another server may take, in milliseconds. */
export interface Deadlines {
  /** The time for a small answer, from the first byte sent to the last byte read. */
  readonly answerMs: number
  /** The longest time without a byte in long transfers: files, and event streams. */
  readonly idleMs: number
}

export const defaultDeadlines: Deadlines = { answerMs: 30_000, idleMs: 60_000 }

/** The most bytes that are read of one answer. */
export const readCaps = {
  schema: 4 * 1024 ** 2,
  health: 1024 ** 2,
  snapshot: 64 * 1024 ** 2,
  event: 64 * 1024 ** 2,
  error: 64 * 1024,
} as const

/** Aborts when `touch` was not called for a while. Its maker disposes it. */
export class Idle implements Disposable {
  private readonly controller = new AbortController()
  private readonly timer: NodeJS.Timeout

  constructor(ms: number) {
    this.timer = setTimeout(() => this.controller.abort(new Error(`nothing moved for ${ms / 1000} s`)), ms)
    this.timer.unref()
  }

  get signal(): AbortSignal {
    return this.controller.signal
  }

  touch(): void {
    this.timer.refresh()
  }

  /** Passes on the bytes, and touches at each chunk. */
  async *watching(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const part of bytes) {
      this.touch()
      yield part
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
  }
}
