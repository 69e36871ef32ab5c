import { type DemoSchema, isTerminal } from '@origami/protocol/demo'
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

/** With more than this many ahead none is written, so that several go out in one write. */
const enoughAhead = 4

/** With more bytes of input ahead none is written: each is in memory twice then, and a large one gains nothing. */
const enoughAheadBytes = 256 * 1024

/** Whoever queues for this runtime needs several at a time to share the cost of sending and storing them. */
const keptAhead = 16

/** A call that a worker has, or is about to get. */
interface Given {
  readonly call: WorkerCall
  readonly performed: Promise<void>
}

/**
 * Gives predictions to workers: as many at the same time as the model's concurrency. The others wait in order. Some of
 * them are written to a worker ahead, where they wait in line until it begins them.
 */
export class WorkerDispatcher {
  private readonly parts: WorkerDispatcherParts
  private readonly line = new WaitingLine()
  private readonly calls = new Map<Run, Given>()
  /** Those that their worker has, and has not begun. */
  private readonly ahead = new Set<Run>()
  private isEnding = false

  constructor(parts: WorkerDispatcherParts) {
    this.parts = parts
  }

  get waiting(): number {
    return this.line.length
  }

  /** Whether one more prediction would run at once. */
  get hasRoom(): boolean {
    return this.running < this.parts.model.concurrency && this.parts.workers().hasFree
  }

  /** How many predictions beyond those that run should be here, in its workers or in the line, so that none is idle. */
  get keepsAhead(): number {
    return this.parts.model.hasFiles || this.parts.workers().ready === 0 ? 0 : keptAhead
  }

  join(run: Run): void {
    this.line.join(run)
    this.next()
  }

  cancel(run: Run): void {
    this.calls.get(run)?.call.stop('cancel')
    if (!this.line.remove(run)) return
    run.canceled()
    this.parts.onEnd(run)
  }

  /** Fails everything that waits, when there will be no worker for it. */
  failWaiting(error: string): void {
    for (const run of this.line.takeAll()) {
      run.fail('crashed', error)
      this.parts.onEnd(run)
    }
  }

  /** Begins predictions for which there are workers, and writes ahead those for which there will be. */
  next(): void {
    const writesAhead = !this.parts.model.hasFiles && this.ahead.size <= enoughAhead
    let aheadBytes = 0
    if (writesAhead) for (const run of this.ahead) aheadBytes += run.bytes
    while (!this.isEnding && this.parts.model.schema) {
      const run = this.line.find((waiting) => !this.calls.has(waiting))
      if (!run) return
      const lease = this.running < this.parts.model.concurrency ? this.parts.workers().take() : undefined
      const isAhead = lease === undefined && writesAhead && aheadBytes <= enoughAheadBytes
      const given = isAhead ? this.parts.workers().takeAhead() : lease
      if (!given) return
      if (isAhead) {
        this.ahead.add(run)
        aheadBytes += run.bytes
      } else this.line.remove(run)
      this.give(run, given, this.parts.model.schema)
    }
  }

  private give(run: Run, lease: Lease, schema: DemoSchema): void {
    const { model, files, graceMs } = this.parts
    const onBegin = () => {
      if (this.ahead.delete(run)) this.line.remove(run)
    }
    const call = new WorkerCall(run, lease.worker, { schema, files, timeoutMs: model.timeoutMs, graceMs, onBegin })
    this.calls.set(run, { call, performed: this.perform(call, lease) })
  }

  /** Stops the running predictions and begins no others. */
  stop(): void {
    this.isEnding = true
    for (const { call } of this.calls.values()) call.stop('shutdown')
    for (const run of this.line.takeAll().filter((waiting) => !this.calls.has(waiting))) this.giveBack(run)
  }

  /** Resolves once nothing runs. */
  async ended(): Promise<void> {
    await Promise.all([...this.calls.values()].map(({ performed }) => performed))
  }

  /** Ends one that never began, so that whoever sent it may send it elsewhere. */
  private giveBack(run: Run): void {
    if (isTerminal(run.status)) return
    run.fail('interrupted', 'The runtime was stopped before it began.')
    this.parts.onEnd(run)
  }

  private get running(): number {
    return this.calls.size - this.ahead.size
  }

  /** Never rejects. */
  private async perform(call: WorkerCall, lease: Lease): Promise<void> {
    const { run } = call
    const outcome = await call.perform()
    lease[Symbol.dispose]()
    this.calls.delete(run)
    const wasAhead = this.ahead.delete(run)
    // Where it had not begun it is in the line still, unless it was canceled, which was told at once.
    if (outcome === 'not begun' && this.isEnding) this.giveBack(run)
    else if (outcome === 'not begun' && !wasAhead) this.line.joinInFront(run)
    else if (outcome === 'ended' && (!wasAhead || this.line.remove(run))) this.parts.onEnd(run)
    this.next()
  }
}
