/** How long somebody else's server may take. Milliseconds. */
export interface Deadlines {
  /** To answer something small, from the first byte sent to the last byte read. */
  readonly answerMs: number
  /** Without a byte moving, where many are carried: files, and streams of events. */
  readonly idleMs: number
}

export const defaultDeadlines: Deadlines = { answerMs: 30_000, idleMs: 60_000 }

/** What is read of one answer, at most. Bytes. */
export const readCaps = {
  schema: 4 * 1024 ** 2,
  health: 1024 ** 2,
  snapshot: 64 * 1024 ** 2,
  event: 64 * 1024 ** 2,
  error: 64 * 1024,
} as const

/** Aborts when `touch` was not called for a while. Whoever makes it disposes it. */
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

  /** The same bytes; each that comes by shows that something moves. */
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
