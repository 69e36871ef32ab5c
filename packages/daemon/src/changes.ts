import type { DemoId } from '@origami/protocol/demo'
import { Notice, Notices } from '@origami/serving'

/** Wakes who waits for rows to change: of one demo, or of any. Take the promise before reading, so that no change slips between. */
export class Changes {
  private readonly any = new Notice()
  private readonly demos = new Notices<DemoId>()

  /** Something of this demo changed: a deployment, its route, a prediction. */
  notify(demo: DemoId): void {
    this.any.notify()
    this.demos.notify(demo)
  }

  /** Resolves at the next change of any demo, or when the signal aborts. */
  next(signal?: AbortSignal): Promise<void> {
    return this.any.next(signal)
  }

  /** Resolves at the next change of this demo, or when the signal aborts. */
  ofDemo(demo: DemoId, signal?: AbortSignal): Promise<void> {
    return this.demos.next(demo, signal)
  }
}
