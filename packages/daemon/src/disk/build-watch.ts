import { logger } from '@origami/host/logger'
import type { Limits } from '../config.ts'
import { waited } from '../waited.ts'
import type { FreeSpace } from './free-space.ts'

const log = logger('disk')

/** What was under way was stopped, because it would have filled a disk. The message is for people. */
export class OutOfRoom extends Error {
  override readonly name = 'OutOfRoom'
}

/**
 * Watches the free space while something is cloned or built, and stops what began last when there is too little. It
 * stops one at a time, because what one of them wrote is free again only once it has ended.
 */
export class BuildWatch {
  private readonly space: Pick<FreeSpace, 'lackFor'>
  private readonly limits: Pick<Limits, 'freeSpaceMs'>
  /** In the order in which they began. */
  private readonly underWay = new Set<AbortController>()
  private idle = new AbortController()

  constructor(space: Pick<FreeSpace, 'lackFor'>, limits: Pick<Limits, 'freeSpaceMs'>) {
    this.space = space
    this.limits = limits
  }

  /** Does the work with a signal that also aborts for want of room. Throws what the work throws, or OutOfRoom. */
  async during<Result>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const stop = new AbortController()
    this.underWay.add(stop)
    if (this.underWay.size === 1) void this.watch()
    try {
      return await work(AbortSignal.any([signal, stop.signal]))
    } catch (error) {
      signal.throwIfAborted()
      throw stop.signal.aborted ? stop.signal.reason : error
    } finally {
      this.underWay.delete(stop)
      if (this.underWay.size === 0) this.idle.abort()
    }
  }

  /** Never rejects. */
  private async watch(): Promise<void> {
    this.idle = new AbortController()
    const { signal } = this.idle
    while (await waited(this.limits.freeSpaceMs, signal)) {
      const lack = await this.space.lackFor('building')
      const last = [...this.underWay].at(-1)
      if (lack === undefined || !last || [...this.underWay].some((one) => one.signal.aborted)) continue
      log.error(`a build is stopped: ${lack}`)
      last.abort(new OutOfRoom(`It was stopped for want of room: ${lack}. Deploy it again when there is room`))
    }
  }
}
