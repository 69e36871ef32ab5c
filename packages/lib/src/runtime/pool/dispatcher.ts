import { WorkerCall } from './call.ts'
import type { CountedFiles } from './counted-files.ts'
import type { Model } from './model.ts'
import type { Run } from './run.ts'
import { WaitingLine } from './waiting-line.ts'
import type { Lease, Workers } from './workers.ts'

export interface WorkerDispatcherParts {
  readonly model: Model
  readonly files: CountedFiles
  /** The present workers. A model that is loaded again gets new ones. */
  readonly workers: () => Workers
  /** How long a model may run after a cancel before its process is killed. */
  readonly graceMs: number
  /** Called when a prediction ended, however it ended. */
  onEnd(run: Run): void
}

/** Gives predictions to workers: as many at the same time as the model's concurrency. The others wait in order. */
export class WorkerDispatcher {
  private readonly parts: WorkerDispatcherParts
  private readonly line = new WaitingLine()
  private readonly calls = new Map<Run, { readonly call: WorkerCall; readonly performed: Promise<void> }>()
  private isEnding = false

  constructor(parts: WorkerDispatcherParts) {
    this.parts = parts
  }

  get waiting(): number {
    return this.line.length
  }

  /** Whether one more prediction would run at once. */
  get hasRoom(): boolean {
    return this.calls.size < this.parts.model.concurrency && this.parts.workers().hasFree
  }

  join(run: Run): void {
    this.line.join(run)
    this.next()
  }

  cancel(run: Run): void {
    if (this.line.remove(run)) {
      run.canceled()
      this.parts.onEnd(run)
    } else this.calls.get(run)?.call.stop('cancel')
  }

  /** Fails everything that waits, when there will be no worker for it. */
  failWaiting(error: string): void {
    for (const run of this.line.takeAll()) {
      run.fail('crashed', error)
      this.parts.onEnd(run)
    }
  }

  /** Begins predictions for which there are workers. */
  next(): void {
    const { model, files, graceMs, workers } = this.parts
    while (!this.isEnding && model.schema && this.line.length > 0 && this.calls.size < model.concurrency) {
      const lease = workers().take()
      if (!lease) return
      const run = this.line.take()
      const options = { schema: model.schema, files, timeoutMs: model.timeoutMs, graceMs }
      const call = new WorkerCall(run, lease.worker, options)
      this.calls.set(run, { call, performed: this.perform(call, lease) })
    }
  }

  /** Stops the running predictions and begins no others. */
  stop(): void {
    this.isEnding = true
    for (const { call } of this.calls.values()) call.stop('shutdown')
  }

  /** Resolves once nothing runs. */
  async ended(): Promise<void> {
    await Promise.all([...this.calls.values()].map(({ performed }) => performed))
  }

  /** Never rejects. */
  private async perform(call: WorkerCall, lease: Lease): Promise<void> {
    const ended = await call.perform()
    lease[Symbol.dispose]()
    this.calls.delete(call.run)
    if (ended === 'ended') this.parts.onEnd(call.run)
    else this.line.joinInFront(call.run)
    this.next()
  }
}
