import PQueue from 'p-queue'
import type { Engine } from '../engine/engine.ts'
import { logged } from '../logged.ts'
import { waited } from '../waited.ts'

const longestBackOffMs = 60_000

/** Runs rounds of upkeep, one after another, whether the last one succeeded or not. */
export class Rounds {
  private readonly queue = new PQueue({ concurrency: 1 })
  private readonly round: () => Promise<void>
  private readonly signal: AbortSignal
  private readonly wait: typeof waited
  private newest: Promise<void> = Promise.resolve()

  constructor(round: () => Promise<void>, signal: AbortSignal, wait = waited) {
    this.round = round
    this.signal = signal
    this.wait = wait
  }

  /**
   * Resolves after a whole round that begins after this call. Calls that wait together share one round. Never rejects.
   */
  run(): Promise<void> {
    if (this.queue.size === 0) this.newest = this.queue.add(() => this.once())
    return this.newest
  }

  /** Resolves once no round is under way or waits. */
  async settled(): Promise<void> {
    await this.queue.onIdle()
  }

  /**
   * Runs a round as soon as an instance exits. When the stream of exits breaks it is opened again after longer and
   * longer waits.
   */
  async watchExits(engine: Pick<Engine, 'exits'>): Promise<void> {
    for (let failures = 0; !this.signal.aborted; failures += 1) {
      await logged('exits are not told now; they are asked for again', async () => {
        for await (const _exit of engine.exits(this.signal)) {
          failures = 0
          void this.run()
        }
      })
      if (!(await this.wait(Math.min(1000 * 2 ** failures, longestBackOffMs), this.signal))) return
      void this.run()
    }
  }

  private async once(): Promise<void> {
    if (!this.signal.aborted) await logged('a round of looking after demos failed', this.round)
  }
}
