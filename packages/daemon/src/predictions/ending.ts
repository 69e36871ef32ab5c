import type { FailureReason, FileRef } from '@origami/protocol/demo'
import { completePrediction, endPrediction, type PredictionEnd } from '../store/predictions.ts'
import type { CheckedEnd } from './instance/checked-end.ts'
import type { LiveRun } from './live-runs.ts'
import type { QueueParts, SentPrediction } from './parts.ts'

/** The ways in which a prediction ends. The first end counts: nothing changes a prediction that has ended. */
export class Ending {
  /** The events of its run so far. Undefined before it runs. */
  live: LiveRun | undefined
  /** Whether the end that the row has is one of these. */
  isStored = false
  private readonly parts: QueueParts
  private readonly prediction: SentPrediction

  constructor(parts: QueueParts, prediction: SentPrediction) {
    this.parts = parts
    this.prediction = prediction
  }

  canceled(): Promise<void> {
    return this.end({ status: 'canceled', ...this.soFar() })
  }

  failed(reason: FailureReason, error: string): Promise<void> {
    return this.end({ status: 'failed', reason, error, ...this.soFar() })
  }

  timedOut(): Promise<void> {
    const { startedAt, deadlineAt } = this.prediction
    const seconds = Math.round((Date.parse(deadlineAt ?? '') - Date.parse(startedAt ?? '')) / 1000)
    return this.failed(
      'timeout',
      `It ran longer than the ${seconds} s that a prediction of this demo may take, and was stopped.`,
    )
  }

  /** Its instance took it, and did not begin it. */
  neverBegan(seconds: number): Promise<void> {
    return this.failed(
      'timeout',
      `The demo took this and did not begin it within ${Math.round(seconds)} s. Run it again.`,
    )
  }

  /** Its input does not fit the present schema of its demo. */
  invalid(problem: string): Promise<void> {
    return this.failed('invalid', `The demo changed while this waited: ${problem}`)
  }

  /** The instance went away while it ran, which it also does when its owner stops the demo. */
  async interrupted(): Promise<void> {
    const stopped = (await this.parts.demos.find(this.prediction.demo))?.demo.want === 'stopped'
    await (stopped ? this.failed('stopped', 'The demo was stopped by its owner while this ran.') : this.wentAway())
  }

  /** The instance went away while it ran, or nothing says any more where it ran. */
  wentAway(): Promise<void> {
    const error = 'The demo went away while this ran. It was not run again; run it again if you like.'
    return this.failed('interrupted', error)
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
  async completed(end: CheckedEnd, seq: number, files: readonly FileRef[]): Promise<void> {
    const { arrival, demo, startedAt } = this.prediction
    const output = end.output ?? null
    const seconds = end.metrics.predict_time
    const row = {
      status: end.status,
      output: end.outputText,
      error: end.error,
      reason: end.reason,
      logs: end.logs,
      predict_time: seconds ?? null,
      started_at: end.started_at ?? startedAt,
      completed_at: this.parts.now(),
      last_seq: seq,
    }
    // The next one is sent now, so that where it is sent is stored together with this end.
    this.parts.turns.freed(arrival)
    this.parts.changed.workChanged()
    await this.store(row, output, (trx, ran) => completePrediction(trx, { arrival, demo }, row, files, ran))
    if (this.isStored && end.status === 'succeeded' && seconds !== undefined)
      await this.parts.times.add(demo, arrival, seconds)
  }

  private soFar() {
    return {
      logs: this.live?.logs ?? '',
      started_at: this.prediction.startedAt,
      completed_at: this.parts.now(),
      last_seq: (this.live?.lastSeq ?? 0) + 1,
    }
  }

  private end(end: PredictionEnd & { last_seq: number; logs: string }): Promise<void> {
    return this.store(end, null, (trx) => endPrediction(trx, this.prediction.arrival, end))
  }

  private async store(
    end: PredictionEnd & { last_seq: number; logs: string },
    output: unknown,
    write: Parameters<typeof this.parts.commits.run<boolean>>[0],
  ): Promise<void> {
    const { arrival, demo } = this.prediction
    const { commits } = this.parts
    if (!(await commits.keep(write))) return
    commits.forget(arrival)
    this.isStored = true
    this.parts.changed.predictionChanged(demo, arrival, {
      snapshot: presentEnd(this.prediction, end, output),
      lastSeq: end.last_seq,
      size: 2 * (this.prediction.length + (end.output?.length ?? 0) + end.logs.length),
    })
  }
}

/** A prediction that was ended just now, as its row says by now. */
function presentEnd(prediction: SentPrediction, end: PredictionEnd & { logs: string }, output: unknown) {
  const { id, input, createdAt, startedAt, deployment, commit } = prediction
  return {
    ...{ id, input, output, deployment, commit, queue: null, created_at: createdAt },
    status: end.status,
    error: end.error ?? null,
    reason: end.reason ?? null,
    logs: end.logs,
    metrics: typeof end.predict_time === 'number' ? { predict_time: end.predict_time } : {},
    started_at: end.started_at ?? startedAt,
    completed_at: end.completed_at,
  }
}
