import { isDiskFull } from '@origami/host/disk-full'
import { logger } from '@origami/host/logger'
import { NotOnDisk } from '@origami/host/sqlite'
import type { DemoId } from '@origami/protocol/demo'
import { waited } from '../waited.ts'
import { addRuns } from './demos.ts'
import type { Db, Trx } from './open.ts'

const log = logger('store')

/** Counts a run of a demo. The runs of one commit are stored together. */
type Ran = (demo: DemoId) => void

/** What changes rows, and nothing else. */
type LateWrite = (trx: Trx) => Promise<unknown>

/** How long a write may wait that nobody waits for. */
const latestMs = 500

/** The wait before a write is tried again while the disk is full. It doubles each time. */
const firstPauseMs = 100
const longestPauseMs = 5_000

interface Write {
  /** Makes its changes by `trx`, and settles its caller's promise only when told that they are stored. */
  readonly apply: (trx: Trx, ran: Ran) => Promise<{ stored: () => void }>
  readonly fail: (error: unknown) => void
}

export interface CommitsOptions {
  /** Called when the disk is full. It may make room. */
  readonly onFull?: () => Promise<void>
  /** Ends the waits for room. */
  readonly leaving?: AbortSignal
}

/**
 * Writes of one turn of the event loop, and those that come while others are stored, share one transaction, and with it
 * one wait for the disk. Each is stored whole or not at all, as if it had a transaction of its own.
 */
export class Commits {
  private readonly db: Db
  private waiting: Write[] = []
  private readonly late = new Map<number, LateWrite>()
  private timer: NodeJS.Timeout | undefined
  private isStoring = false
  private readonly onFull: (() => Promise<void>) | undefined
  private readonly leaving: AbortSignal | undefined

  constructor(db: Db, { onFull, leaving }: CommitsOptions = {}) {
    this.db = db
    this.onFull = onFull
    this.leaving = leaving
  }

  /**
   * Resolves once what `write` changed is stored for good, to what it returned. Rejects with its error, or the
   * database's. `write` may be called twice, the first time without effect, so it changes nothing but rows.
   */
  run<Result>(write: (trx: Trx, ran: Ran) => Promise<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const apply = async (trx: Trx, ran: Ran) => {
      const result = await write(trx, ran)
      return { stored: () => resolve(result) }
    }
    this.waiting.push({ apply, fail: reject })
    this.storeSoon()
    return promise
  }

  /**
   * As `run`, for what must not be lost: while the disk is full it is tried again, after longer and longer waits.
   * Rejects with the database's error then only once the daemon leaves.
   */
  async keep<Result>(write: (trx: Trx, ran: Ran) => Promise<Result>): Promise<Result> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs))
      try {
        return await this.run(write)
      } catch (error) {
        if (!isDiskFull(error)) throw error
        if (pauseMs === firstPauseMs) log.error('the disk is full; what has to be stored is tried again', error)
        await this.onFull?.()
        if (!(await waited(pauseMs, this.leaving ?? new AbortController().signal))) throw error
      }
  }

  /**
   * Stores what nobody waits for, and what after a crash may as well not have happened: soon, or before what depends on
   * it. Of two writes of one key the last one counts. A write that fails is logged and tried again.
   */
  later(key: number, write: LateWrite): void {
    this.late.set(key, write)
    this.timer ??= setTimeout(() => void this.flush(), latestMs)
  }

  /** Forgets a write of `later`: what was stored since says more. */
  forget(key: number): void {
    this.late.delete(key)
  }

  /** Resolves once everything is stored, or was tried to be, that `later` was given. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    const writes = [...this.late]
    this.late.clear()
    await Promise.all(
      writes.map(([key, write]) =>
        this.run(write).catch((error: unknown) => {
          log.error('what can be stored later could not be stored; tried again soon', error)
          if (!this.late.has(key)) this.later(key, write)
        }),
      ),
    )
  }

  /** As `run`, after everything that `later` was given before. */
  inOrder<Result>(write: (trx: Trx) => Promise<Result>): Promise<Result> {
    void this.flush()
    return this.run(write)
  }

  /** Never rejects. */
  private async storeWaiting(): Promise<void> {
    const writes = this.waiting
    this.waiting = []
    try {
      await this.store(writes)
    } catch (error) {
      const [only, ...others] = writes
      // Of many nobody knows which one failed: each is tried by itself.
      if (only && others.length === 0) only.fail(error)
      else if (error instanceof NotOnDisk) for (const write of writes) write.fail(error)
      else for (const write of writes) await this.store([write]).catch((cause: unknown) => write.fail(cause))
    }
    this.isStoring = false
    if (this.waiting.length > 0) this.storeSoon()
  }

  /** After what this turn of the event loop still has to do, so that its writes come together. */
  private storeSoon(): void {
    if (this.isStoring) return
    this.isStoring = true
    setImmediate(() => void this.storeWaiting())
  }

  private async store(writes: readonly Write[]): Promise<void> {
    const applied = await this.db.unblockingTransaction(async (trx) => {
      const results: { stored: () => void }[] = []
      const runs = new Map<DemoId, number>()
      const ran: Ran = (demo) => void runs.set(demo, (runs.get(demo) ?? 0) + 1)
      for (const write of writes) results.push(await write.apply(trx, ran))
      for (const [demo, count] of runs) await addRuns(trx, demo, count)
      return results
    })
    for (const { stored } of applied) stored()
  }
}
