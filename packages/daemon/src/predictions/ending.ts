import type { EndStatus, FailureReason, FileRef, PredictionSnapshot } from '@origami/protocol/demo'
import type { Trx } from '../store/open.ts'
import { completePrediction, endPrediction, type PredictionEnd } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import type { LiveRun } from './live-runs.ts'
import type { QueueParts } from './parts.ts'

/** The ways in which a prediction ends. The first end counts: nothing changes a prediction that has ended. */
export class Ending {
  /** The events of its run so far. Undefined before it runs. */
  live: LiveRun | undefined
  /** Whether the end that the row has is one of these. */
  isStored = false
  private readonly parts: QueueParts
  private readonly row: PredictionRow

  constructor(parts: QueueParts, row: PredictionRow) {
    this.parts = parts
    this.row = row
  }

  canceled(): Promise<void> {
    return this.end({ status: 'canceled', ...this.soFar() })
  }

  failed(reason: FailureReason, error: string): Promise<void> {
    return this.end({ status: 'failed', reason, error, ...this.soFar() })
  }

  timedOut(): Promise<void> {
    const { started_at, deadline_at } = this.row
    const seconds = Math.round((Date.parse(deadline_at ?? '') - Date.parse(started_at ?? '')) / 1000)
    return this.failed(
      'timeout',
      `It ran longer than the ${seconds} s that a prediction of this demo may take, and was stopped.`,
    )
  }

  /** Its input does not fit the present schema of its demo. */
  invalid(problem: string): Promise<void> {
    return this.failed('invalid', `The demo changed while this waited: ${problem}`)
  }

  /** The instance went away while it ran. */
  async interrupted(): Promise<void> {
    const stopped = (await this.parts.demos.find(this.row.demo_id))?.demo.want === 'stopped'
    await (stopped
      ? this.failed('stopped', 'The demo was stopped by its owner while this ran.')
      : this.failed(
          'interrupted',
          'The demo went away while this ran. It was not run again; run it again if you like.',
        ))
  }

  /** The instance gave an answer that no runtime may give. */
  misbehaved(): Promise<void> {
    const error =
      'The demo gave an answer that none should give, so this was ended. Run it again, or tell who made the demo.'
    return this.failed('interrupted', error)
  }

  /** Its instance had no room for it for a long time, though nothing else ran there. */
  noRoom(): Promise<void> {
    const error = 'The demo had no room for this, though nothing else ran in it. Send less, such as smaller files.'
    return this.failed('error', error)
  }

  /** An unexpected error ended it. */
  brokeOff(): Promise<void> {
    return this.failed('interrupted', 'Something went wrong between the queue and the demo; run it again.')
  }

  outputTooLarge(): Promise<void> {
    const { outputBytes } = this.parts.limits
    const most = `the ${outputBytes} bytes of text that this server takes of one prediction`
    return this.failed('error', `The model put out more than ${most}.`)
  }

  /** Stores the end that the instance reported. Its result files are stored on this host by now. */
  completed(end: PredictionSnapshot & { status: EndStatus }, seq: number, files: readonly FileRef[]): Promise<void> {
    const { arrival, demo_id, started_at } = this.row
    const row = {
      status: end.status,
      output: end.output === null || end.output === undefined ? null : JSON.stringify(end.output),
      error: end.error,
      reason: end.reason,
      logs: end.logs,
      predict_time: end.metrics.predict_time ?? null,
      started_at: end.started_at ?? started_at,
      completed_at: this.parts.now(),
      last_seq: seq,
    }
    return this.store((trx) => completePrediction(trx, { arrival, demo_id }, row, files))
  }

  private soFar() {
    return { logs: this.live?.logs ?? '', completed_at: this.parts.now(), last_seq: (this.live?.lastSeq ?? 0) + 1 }
  }

  private end(end: PredictionEnd): Promise<void> {
    return this.store((trx) => endPrediction(trx, this.row.arrival, end))
  }

  private async store(ended: (trx: Trx) => Promise<boolean>): Promise<void> {
    const { arrival, demo_id } = this.row
    if (!(await this.parts.commits.run(ended))) return
    this.isStored = true
    this.parts.changed.predictionChanged(demo_id, arrival, 'ended')
  }
}
