import type { DemoDetail } from '@origami/protocol/control'
import type { WebLimits } from '../config.ts'
import type { DaemonClient } from '../daemon-client.ts'

type LatestDetail = DemoDetail | undefined

/** What the daemon said last of each demo. However many look at a demo, it is asked at most once in a few seconds. */
export class LatestDetails {
  private readonly daemon: DaemonClient
  private readonly limits: WebLimits
  private readonly known = new Map<string, { readonly said: Promise<LatestDetail>; readonly at: number }>()

  constructor(daemon: DaemonClient, limits: WebLimits) {
    this.limits = limits
    this.daemon = daemon
  }

  /** Undefined: the daemon knows no such demo. Throws Gone while it is away. */
  async get(demo: string): Promise<LatestDetail> {
    const known = this.known.get(demo)
    return known && Date.now() - known.at < this.limits.detailsFreshMs ? known.said : this.ask(demo)
  }

  /** Something was asked of it, so what it said before is not so for long. */
  forget(demo: string): void {
    this.known.delete(demo)
  }

  /** As it is now; who looks next gets the same answer. */
  async ask(demo: string): Promise<LatestDetail> {
    const said = this.daemon.detail(demo)
    this.known.delete(demo)
    this.known.set(demo, { said, at: Date.now() })
    for (const oldest of this.known.keys()) {
      if (this.known.size <= this.limits.detailsKept) break
      this.known.delete(oldest)
    }
    // What failed is asked again by who looks next.
    said.catch(() => this.known.get(demo)?.said === said && this.known.delete(demo))
    return said
  }
}
