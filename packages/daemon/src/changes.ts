import { Notice, Notices } from '@origami/host/notices'
import type { DemoId } from '@origami/protocol/demo'
import type { EndedPrediction, OpenPrediction } from './store/open-predictions.ts'

/** What the row of a prediction says now: all of it, what changed of it, or how it ended, where that is at hand. */
export type PredictionNow = OpenPrediction | Partial<Omit<OpenPrediction, 'arrival'>> | EndedPrediction | 'ended'

/** What is kept in memory of predictions, and follows their rows. */
export interface PredictionsListener {
  demoChanged(demo: DemoId): void
  predictionChanged(arrival: number, now?: PredictionNow): void
}

/**
 * Wakes those who wait for rows to change, and only those whom the change concerns. Take the promise before you read
 * the rows, so that no change is missed in between.
 */
export class Changes {
  private readonly deployments = new Notice()
  private readonly sendable = new Notice()
  private readonly demos = new Notices<DemoId>()
  private readonly queues = new Notices<DemoId>()
  private readonly predictions = new Notices<number>()
  private readonly versions = new Map<DemoId, number>()
  private readonly listeners: PredictionsListener[] = []
  private demoChanges = 0

  /** Reports a change of this demo that is not about a prediction: a deployment, its route, or what its owner wants. */
  notify(demo: DemoId): void {
    this.demoChanges += 1
    for (const listener of this.listeners) listener.demoChanged(demo)
    this.deployments.notify()
    this.queueChanged(demo)
  }

  /**
   * Reports that the row of a prediction changed: it arrived, began, ended, or is to be canceled. `now`: what the row
   * says now, by who wrote it; where it is missing, the row is read.
   */
  predictionChanged(demo: DemoId, arrival: number, now?: PredictionNow): void {
    for (const listener of this.listeners) listener.predictionChanged(arrival, now)
    this.predictions.notify(arrival)
    this.queueChanged(demo)
  }

  /** Tells a listener of every change, before those who wait for it are woken. */
  listen(listener: PredictionsListener): void {
    this.listeners.push(listener)
  }

  /** Counts the calls of `notify`: what was read of demos is good for as long as this stays. */
  get demosVersion(): number {
    return this.demoChanges
  }

  /** Resolves at the next `notify` of any demo, or when the signal aborts. */
  untilAnyDemoChanges(signal?: AbortSignal): Promise<void> {
    return this.deployments.next(signal)
  }

  /** Resolves at the next change of this demo, predictions included, or when the signal aborts. */
  untilDemoChanges(demo: DemoId, signal?: AbortSignal): Promise<void> {
    return this.demos.next(demo, signal)
  }

  /** Resolves when a prediction may be sent that could not be sent before, or when the signal aborts. */
  untilSendable(signal?: AbortSignal): Promise<void> {
    return this.sendable.next(signal)
  }

  /** Resolves at the next change of this prediction's row, or when the signal aborts. */
  untilPredictionChanges(arrival: number, signal?: AbortSignal): Promise<void> {
    return this.predictions.next(arrival, signal)
  }

  /** Resolves when this prediction's row or its place may have changed, or when the signal aborts. */
  async untilPlaceChanges(demo: DemoId, arrival: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    const either = AbortSignal.any([signal, woken.signal])
    await Promise.race([this.queues.next(demo, either), this.predictions.next(arrival, either)])
    woken.abort()
  }

  /**
   * Reports that a prediction may be sent that could not be sent before, though no row changed: a place became free.
   */
  workChanged(): void {
    this.sendable.notify()
  }

  /**
   * Counts the changes of a demo's queue. What was computed from the queue is valid while this number stays the same.
   */
  queueVersion(demo: DemoId): number {
    return this.versions.get(demo) ?? 0
  }

  private queueChanged(demo: DemoId): void {
    this.versions.set(demo, this.queueVersion(demo) + 1)
    this.demos.notify(demo)
    this.queues.notify(demo)
    this.sendable.notify()
  }
}
