import PQueue from 'p-queue'
import type { Limits } from '../config.ts'
import { waited } from '../waited.ts'

/**
 * A deploy goes first, since somebody waits for it at a screen. The predictions of a version that is being revived are
 * kept.
 */
const priorities = { deploy: 1, revive: 0 } as const

/**
 * Limits how many instances start at the same time, from their start until they answer. The limit is the number of
 * builds, so that a host with fifty demos starts them one after another. Builds need no slot, so that a crashed demo
 * does not wait for a build.
 */
export class StartSlots {
  private readonly queue = new PQueue()
  private readonly limits: Pick<Limits, 'deployments' | 'startSlotMs'>

  constructor(limits: Pick<Limits, 'deployments' | 'startSlotMs'>) {
    this.limits = limits
  }

  /**
   * Runs the work once there is a slot. The slot is returned when the work ends or after a time limit. Throws the
   * signal's reason when it aborts during the wait. Work that has begun must watch its signal itself.
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

/** Resolves once the work has ended, even with an error, or when the time is over. */
async function withinOr(work: Promise<unknown>, ms: number): Promise<void> {
  const ended = new AbortController()
  const done = work.then(
    () => ended.abort(),
    () => ended.abort(),
  )
  await Promise.race([done, waited(ms, ended.signal)])
}
