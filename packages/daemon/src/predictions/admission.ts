import { Full, Gone } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import { WaitingCounts, type Whose } from './turns/waiting-counts.ts'

type Caps = Pick<Limits, 'waiting' | 'waitingPerVisitor' | 'waitingPerAddress'>

const retryAfterSeconds = 30

/**
 * Decides in order of arrival which predictions find a place among those that wait for their demo, and why the others
 * do not. A place is reserved until it is known whether the prediction is stored.
 */
export class Admission {
  private readonly waiting: WaitingCounts
  private readonly reserved = new WaitingCounts()
  private readonly caps: Caps

  /** `waiting` counts those that wait. */
  constructor(waiting: WaitingCounts, caps: Caps) {
    this.waiting = waiting
    this.caps = caps
  }

  /**
   * Reserves a place. Returns why there is none, or undefined. Of several limits that are reached the narrowest is
   * reported, since it says most about what to do.
   */
  reserve(whose: Whose): Full | undefined {
    const [waiting, reserved] = [this.waiting.of(whose), this.reserved.of(whose)]
    const own = waiting.visitor + reserved.visitor
    if (own >= this.caps.waitingPerVisitor)
      return full(
        `${own} predictions of yours wait for this demo already, the most of one visitor; try again once one has begun`,
      )
    const near = waiting.address + reserved.address
    if (near >= this.caps.waitingPerAddress)
      return full(
        `${near} predictions from your address wait for this demo already, the most of one address; try again later`,
      )
    const all = waiting.demo + reserved.demo
    if (all >= this.caps.waiting) return full(`${all} predictions wait for this demo already; try again later`)
    this.reserved.add(whose, 1)
    return undefined
  }

  /** Gives a reserved place back: the prediction counts among those that wait by now, or was not stored. */
  release(whose: Whose): void {
    this.reserved.add(whose, -1)
  }
}

/** The refusal for a stopped demo. A prediction stored after the stop would be neither sent nor ended. */
export const demoStopped = (): Gone => new Gone('This demo is stopped.')

const full = (message: string): Full => new Full(message, retryAfterSeconds)
