import PQueue from 'p-queue'
import type { Limits } from '../config.ts'

/** Somebody waits before the screen for a deploy; a version that is revived has its visitors' predictions kept meanwhile. */
const priorities = { deploy: 1, revive: 0 } as const

/**
 * Instances that start at a time, from their start until they answer: as many as deployments. A host with fifty demos that comes back starts
 * them by and by. Builds take no slot, so that a demo that crashed does not wait for one.
 */
export class StartSlots {
  private readonly queue = new PQueue()
  private readonly limits: Pick<Limits, 'deployments'>

  constructor(limits: Pick<Limits, 'deployments'>) {
    this.limits = limits
  }

  /** Works once there is a slot. Throws the signal's reason when it aborts while it waits; work that began sees to its signal itself. */
  async take<Result>(who: keyof typeof priorities, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted()
    this.queue.concurrency = this.limits.deployments
    const waiting = new AbortController()
    const giveUp = () => waiting.abort(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    const begin = () => {
      signal.removeEventListener('abort', giveUp)
      return work()
    }
    return this.queue.add(begin, { priority: priorities[who], signal: waiting.signal })
  }
}
