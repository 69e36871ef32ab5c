import type { DeploymentId } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'

interface Refusing {
  tries: number
  /** Since when it takes nothing, and when it is tried again. */
  since: number
  until: number
}

/** Where an instance is, and how long its demo gives it to be ready. */
export interface RefusingRoute {
  readonly endpoint: string
  readonly deployment: { readonly id: DeploymentId }
  readonly times: { readonly ready_within: number }
}

/**
 * Instances that took nothing when they were tried: each is left alone for a while, longer each time, and looked at in
 * the end.
 */
export class Refusals {
  private readonly refusing = new Map<string, Refusing>()
  private readonly limits: Pick<Limits, 'retryMs'>
  private readonly lookAt: (deployment: DeploymentId) => void

  constructor(limits: Pick<Limits, 'retryMs'>, lookAt: (deployment: DeploymentId) => void) {
    this.limits = limits
    this.lookAt = lookAt
  }

  /** Milliseconds until this instance may be tried; 0: now. */
  wait(endpoint: string): number {
    return Math.max(0, (this.refusing.get(endpoint)?.until ?? 0) - performance.now())
  }

  took(endpoint: string): void {
    this.refusing.delete(endpoint)
  }

  /** Of several that were on their way at once the first counts. */
  refused({ endpoint, deployment, times }: RefusingRoute): void {
    const now = performance.now()
    const found = this.refusing.get(endpoint) ?? { tries: 0, since: now, until: 0 }
    this.refusing.set(endpoint, found)
    if (found.until > now) return
    const { retryMs } = this.limits
    found.until = now + (retryMs[Math.min(found.tries, retryMs.length - 1)] ?? 10_000)
    found.tries += 1
    if (now - found.since < times.ready_within * 1000) return
    found.since = now
    this.lookAt(deployment.id)
  }

  /** Forgets instances that are no longer a route. */
  keep(endpoints: ReadonlySet<string>): void {
    for (const endpoint of this.refusing.keys()) if (!endpoints.has(endpoint)) this.refusing.delete(endpoint)
  }
}
