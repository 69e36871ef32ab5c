import type { DeploymentId } from '@origami/protocol/demo'
import type { Limits } from '../../config.ts'
import type { RefusalFault } from '../parts.ts'

interface Refusing {
  tries: number
  /** Since when the instance has accepted nothing for another reason than being full, and when it is tried again. */
  since: number
  until: number
  /** Since when it has been full at each try. */
  fullSince?: number
}

/** The endpoint of an instance, and how long its demo lets it become ready. */
export interface RefusingRoute {
  readonly endpoint: string
  readonly deployment: { readonly id: DeploymentId }
  readonly times: { readonly ready_within: number }
}

/** A runtime keeps unfetched results for a minute before their room is used again, and may be full for as long. */
const leastFullMs = 90_000

/** How long an instance may be full although nothing runs in it. */
export const fullPatienceMs = ({ ready_within }: RefusingRoute['times']): number =>
  Math.max(ready_within * 1000, leastFullMs)

/**
 * Instances that accepted nothing when they were tried. Each is left alone after longer and longer times, and in the
 * end its health is checked. An instance that says it is full may be healthy, and gets the time in which a runtime has
 * room again.
 */
export class Refusals {
  private readonly refusing = new Map<string, Refusing>()
  private readonly limits: Pick<Limits, 'retryMs'>
  private readonly lookAt: (deployment: DeploymentId, fault: RefusalFault) => void
  private readonly nowMs: () => number

  /** `nowMs` is a clock that is never set back. */
  constructor(
    limits: Pick<Limits, 'retryMs'>,
    lookAt: (deployment: DeploymentId, fault: RefusalFault) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.limits = limits
    this.lookAt = lookAt
    this.nowMs = nowMs
  }

  /** Milliseconds until this instance may be tried. 0 means now. */
  waitMs(endpoint: string): number {
    return Math.max(0, (this.refusing.get(endpoint)?.until ?? 0) - this.nowMs())
  }

  /** Whether no instance refuses. */
  get isEmpty(): boolean {
    return this.refusing.size === 0
  }

  took(endpoint: string): void {
    this.refusing.delete(endpoint)
  }

  /** Notes that the instance did not answer, or accepts nothing. */
  refused({ endpoint, deployment, times }: RefusingRoute): void {
    const refusing = this.leaveAlone(endpoint)
    if (!refusing || this.nowMs() - refusing.since < times.ready_within * 1000) return
    refusing.since = this.nowMs()
    this.lookAt(deployment.id, 'takes nothing')
  }

  /** Notes that the instance said it has no room. */
  full({ endpoint, deployment, times }: RefusingRoute): void {
    const refusing = this.leaveAlone(endpoint)
    if (!refusing) return
    const now = this.nowMs()
    refusing.since = now
    refusing.fullSince ??= now
    if (now - refusing.fullSince < fullPatienceMs(times)) return
    refusing.fullSince = now
    this.lookAt(deployment.id, 'has no room')
  }

  /** Undefined: it is left alone already. When several requests fail together only the first counts. */
  private leaveAlone(endpoint: string): Refusing | undefined {
    const now = this.nowMs()
    const refusing = this.refusing.get(endpoint) ?? { tries: 0, since: now, until: 0 }
    this.refusing.set(endpoint, refusing)
    if (refusing.until > now) return undefined
    const { retryMs } = this.limits
    refusing.until = now + (retryMs[Math.min(refusing.tries, retryMs.length - 1)] ?? 10_000)
    refusing.tries += 1
    return refusing
  }

  /** Forgets instances that are no longer a route. */
  keep(endpoints: ReadonlySet<string>): void {
    for (const endpoint of this.refusing.keys()) if (!endpoints.has(endpoint)) this.refusing.delete(endpoint)
  }
}
