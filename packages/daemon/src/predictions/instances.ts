import { HttpPredictor, LinkClient } from '@origami/serving'
import type { Limits } from '../config.ts'

interface Reached {
  readonly predictor: HttpPredictor
  readonly link: LinkClient
}

/** The clients of instances, one for each endpoint, so that all predictions of an instance share its link. */
export class Instances implements Disposable {
  private readonly limits: Pick<Limits, 'callAnswerMs' | 'callIdleMs'>
  /** The one that was used last stands last. */
  private readonly reached = new Map<string, Reached>()

  constructor(limits: Pick<Limits, 'callAnswerMs' | 'callIdleMs'>) {
    this.limits = limits
  }

  at(endpoint: string): HttpPredictor {
    const reached = this.reached.get(endpoint) ?? this.reach(endpoint)
    this.reached.delete(endpoint)
    this.reached.set(endpoint, reached)
    return reached.predictor
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
    return { link, predictor: new HttpPredictor({ base: endpoint, link, deadlines }) }
  }
}

/** Clients that are kept. An unused one holds no connection. */
const keptAtMost = 1000
