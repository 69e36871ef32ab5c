import PQueue from 'p-queue'
import type { Limits } from '../config.ts'
import { waited } from '../waited.ts'

/**
 * Somebody waits before the screen for a deploy; a version that is revived has its visitors' predictions kept
 * meanwhile.
 */
const priorities = { deploy: 1, revive: 0 } as const

/**
 * Instances that start at a time, from their start until they answer: as many as may build. A host with fifty demos
 * that comes back starts them by and by. Builds take no slot, so that a demo that crashed does not wait for one, and
 * one that takes very long keeps none from the others.
 */
export class StartSlots {
  private readonly queue = new PQueue()
  private readonly limits: Pick<Limits, 'deployments' | 'startSlotMs'>

  constructor(limits: Pick<Limits, 'deployments' | 'startSlotMs'>) {
    this.limits = limits
  }

  /**
   * Works once there is a slot, which it gives back at its end or after a while. Throws the signal's reason when it
   * aborts while it waits; work that began sees to its signal itself.
   */
  async take<Result>(who: keyof typeof priorities, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted()
    this.queue.concurrency = this.limits.deployments
    const waiting = new AbortController()
    const giveUp = () => waiting.abort(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    const begun = Promise.withResolvers<Result>()
    const begin = () => {
      signal.removeEventListener('abort', giveUp)
      begun.resolve(work())
      return withinOr(begun.promise, this.limits.startSlotMs)
    }
    await this.queue.add(begin, { priority: priorities[who], signal: waiting.signal })
    return begun.promise
  }
}

/** Resolves once the work has ended, however it did, or the time is over. */
async function withinOr(work: Promise<unknown>, ms: number): Promise<void> {
  const ended = new AbortController()
  const done = work.then(
    () => ended.abort(),
    () => ended.abort(),
  )
  await Promise.race([done, waited(ms, ended.signal)])
}
