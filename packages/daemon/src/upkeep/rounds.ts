import PQueue from 'p-queue'
import type { Engine } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import { waited } from '../waited.ts'

const longestBackOffMs = 60_000

/** Rounds of looking after what should be: one after the other, whatever became of the one before. */
export class Rounds {
  private readonly queue = new PQueue({ concurrency: 1 })
  private readonly round: () => Promise<void>
  private readonly signal: AbortSignal
  private newest: Promise<void> = Promise.resolve()

  constructor(round: () => Promise<void>, signal: AbortSignal) {
    this.round = round
    this.signal = signal
  }

  /** A whole round that begins after this call; several calls while one waits share it. Never rejects. */
  run(): Promise<void> {
    if (this.queue.size === 0) this.newest = this.queue.add(() => this.once())
    return this.newest
  }

  /** Resolves once no round is under way or waits. */
  async settled(): Promise<void> {
    await this.queue.onIdle()
  }

  /**
   * A round as soon as an instance exits. When exits are no longer told it asks again, after longer and longer waits.
   */
  async watchExits(engine: Pick<Engine, 'exits'>): Promise<void> {
    for (let failures = 0; !this.signal.aborted; failures += 1) {
      await logged('exits are not told now; they are asked for again', async () => {
        for await (const _exit of engine.exits(this.signal)) {
          failures = 0
          void this.run()
        }
      })
      if (!(await waited(Math.min(1000 * 2 ** failures, longestBackOffMs), this.signal))) return
      void this.run()
    }
  }

  private async once(): Promise<void> {
    if (!this.signal.aborted) await logged('a round of looking after demos failed', this.round)
  }
}
