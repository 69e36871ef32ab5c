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
  private readonly demos = new Notices<DemoId>()
  private readonly sendable = new Listeners<'all'>()
  private readonly demoListeners = new Listeners<DemoId>()
  private readonly predictionListeners = new Listeners<number>()
  private readonly listeners: PredictionsListener[] = []
  private demoChanges = 0

  /** Reports a change of this demo that is not about a prediction: a deployment, its route, or what its owner wants. */
  notify(demo: DemoId): void {
    this.demoChanges += 1
    for (const listener of this.listeners) listener.demoChanged(demo)
    this.deployments.notify()
    this.demoListeners.call(demo)
    this.queueChanged(demo)
  }

  /**
   * Reports that the row of a prediction changed: it arrived, began, ended, or is to be canceled. `now`: what the row
   * says now, by who wrote it; where it is missing, the row is read.
   */
  predictionChanged(demo: DemoId, arrival: number, now?: PredictionNow): void {
    for (const listener of this.listeners) listener.predictionChanged(arrival, now)
    this.predictionListeners.call(arrival)
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

  /** Calls when a prediction may be sent that could not be sent before. Returns what ends that. */
  onSendable(listener: () => void): () => void {
    return this.sendable.add('all', listener)
  }

  /**
   * Calls at each change of this prediction's row, and at each `notify` of its demo, which may have changed it. Returns
   * what ends that.
   */
  onPrediction(demo: DemoId, arrival: number, listener: () => void): () => void {
    const ends = [this.predictionListeners.add(arrival, listener), this.demoListeners.add(demo, listener)]
    return () => {
      for (const end of ends) end()
    }
  }

  /**
   * Reports that a prediction may be sent that could not be sent before, though no row changed: a place became free.
   */
  workChanged(): void {
    this.sendable.call('all')
  }

  private queueChanged(demo: DemoId): void {
    this.demos.notify(demo)
    this.sendable.call('all')
  }
}

/** Who is called about a topic. A topic of which nobody wants to hear takes no memory. */
class Listeners<Topic> {
  private readonly topics = new Map<Topic, Set<() => void>>()

  call(topic: Topic): void {
    const listeners = this.topics.get(topic)
    if (!listeners) return
    const [first, ...more] = listeners
    first?.()
    for (const listener of more) listener()
  }

  /** Returns what ends it. */
  add(topic: Topic, listener: () => void): () => void {
    const those = this.topics.get(topic) ?? new Set()
    this.topics.set(topic, those.add(listener))
    return () => {
      those.delete(listener)
      if (those.size === 0 && this.topics.get(topic) === those) this.topics.delete(topic)
    }
  }
}
