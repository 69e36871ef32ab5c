import { HttpPredictor, LinkClient } from '@origami/serving'
import type { Limits } from '../../config.ts'

interface Reached {
  readonly predictor: HttpPredictor
  readonly link: LinkClient
  /** How many predictions it takes beyond those that it runs, and until when that is taken for true. */
  ahead: number
  askedUntilMs: number
}

/** After so long an instance is asked again how many predictions it takes ahead. */
const askAgainMs = 10_000

/** The clients of instances, one for each endpoint, so that all predictions of an instance share its link. */
export class Instances implements Disposable {
  private readonly limits: Pick<Limits, 'callAnswerMs' | 'callIdleMs'>
  /** The one that was used last stands last. */
  private readonly reached = new Map<string, Reached>()

  constructor(limits: Pick<Limits, 'callAnswerMs' | 'callIdleMs'>) {
    this.limits = limits
  }

  at(endpoint: string): HttpPredictor {
    return this.use(endpoint).predictor
  }

  /**
   * How many predictions the instance takes beyond those that it runs, as it said last. It is asked now and then, in
   * the background.
   */
  ahead(endpoint: string): number {
    const reached = this.use(endpoint)
    if (performance.now() >= reached.askedUntilMs) void this.ask(reached)
    return reached.ahead
  }

  private use(endpoint: string): Reached {
    const reached = this.reached.get(endpoint) ?? this.reach(endpoint)
    this.reached.delete(endpoint)
    this.reached.set(endpoint, reached)
    return reached
  }

  /** Never rejects. */
  private async ask(reached: Reached): Promise<void> {
    reached.askedUntilMs = performance.now() + askAgainMs
    try {
      const { ahead = 0 } = await reached.predictor.health(AbortSignal.timeout(askAgainMs))
      reached.ahead = Math.min(ahead, mostAhead)
    } catch {
      // An instance that does not answer takes nothing ahead. What is wrong with it is heard by who sends to it.
      reached.ahead = 0
    }
  }

  [Symbol.dispose](): void {
    for (const { link } of this.reached.values()) link[Symbol.dispose]()
    this.reached.clear()
  }

  private reach(endpoint: string): Reached {
    const [oldest] = this.reached.size >= keptAtMost ? this.reached : []
    oldest?.[1].link.retire()
    if (oldest) this.reached.delete(oldest[0])
    const deadlines = () => ({ answerMs: this.limits.callAnswerMs, idleMs: this.limits.callIdleMs })
    const link = new LinkClient({ origin: endpoint, deadlines })
    const predictor = new HttpPredictor({ base: endpoint, name: 'its instance', link, deadlines })
    return { link, predictor, ahead: 0, askedUntilMs: 0 }
  }
}

/** Whatever an instance says. */
const mostAhead = 16

/** Clients that are kept. An unused one holds no connection. */
const keptAtMost = 1000
