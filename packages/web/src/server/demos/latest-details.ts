import type { DemoDetail } from '@origami/protocol/control'
import type { WebLimits } from '../config.ts'
import type { DaemonClient } from '../daemon-client.ts'

type LatestDetail = DemoDetail | undefined

/**
 * The daemon's last answer about each demo. However many visitors look at a demo, the daemon is asked at most once in a
 * few seconds.
 */
export class LatestDetails {
  private readonly daemon: DaemonClient
  private readonly limits: WebLimits
  private readonly known = new Map<string, { readonly said: Promise<LatestDetail>; readonly at: number }>()

  constructor(daemon: DaemonClient, limits: WebLimits) {
    this.limits = limits
    this.daemon = daemon
  }

  /** Undefined: the daemon does not know the demo. Throws Gone while it is away. */
  async get(demo: string): Promise<LatestDetail> {
    const known = this.known.get(demo)
    return known && Date.now() - known.at < this.limits.detailsFreshMs ? known.said : this.ask(demo)
  }

  /** Forgets the last answer, because a change was requested. */
  forget(demo: string): void {
    this.known.delete(demo)
  }

  /** Asks for the present detail, and keeps the answer for the next visitors. */
  async ask(demo: string): Promise<LatestDetail> {
    const said = this.daemon.detail(demo)
    this.known.delete(demo)
    this.known.set(demo, { said, at: Date.now() })
    for (const oldest of this.known.keys()) {
      if (this.known.size <= this.limits.detailsKept) break
      this.known.delete(oldest)
    }
    // A failed answer is not kept, so that the next visitor asks again.
    said.catch(() => this.known.get(demo)?.said === said && this.known.delete(demo))
    return said
  }
}
