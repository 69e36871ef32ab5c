import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { OpenPrediction } from '../store/open-predictions.ts'
import { partOf, type QueueLimits } from './next.ts'
import type { OpenPredictions } from './open-predictions.ts'
import { SendOrder } from './send-order.ts'

/** Where predictions of a demo can be sent now, and how many at a time. */
export interface Ready {
  readonly endpoint: string
  readonly deployment: { readonly id: DeploymentId; readonly commit_sha: string | null }
  readonly concurrency: number
}

/**
 * Whose turn it is, of all predictions that wait or run. A prediction holds a place while it runs, while it is being
 * sent, and while an instance may have it.
 */
export class Turns {
  private readonly limits: QueueLimits
  private readonly order = new SendOrder()
  private readonly rows = new Map<number, OpenPrediction>()
  /** Those that somebody follows at their instance. */
  private readonly followed = new Set<number>()
  /** Those that ended at their instance, though that is not stored yet. */
  private readonly leaving = new Set<number>()
  /** The endpoint of the instance that certainly does not have a prediction, by the prediction's arrival. */
  private readonly absentAt = new Map<number, string>()
  /** Those that were sent somewhere, or are to be canceled. */
  private readonly sent = new Set<number>()
  /** Of each demo, those that hold a place and do not run. */
  private readonly onTheWay = new Map<DemoId, Set<number>>()
  private ready: ReadonlyMap<DemoId, Ready> = new Map()
  /** Of each demo, how many arrive now that are to be sent at once. */
  private readonly arriving = new Map<DemoId, number>()

  private readonly watchers: ((demo: DemoId) => void)[] = []

  constructor(open: OpenPredictions, limits: QueueLimits) {
    this.limits = limits
    open.watch((arrival, row) => this.changed(arrival, row))
  }

  /** Calls for each demo of which places may have changed. */
  watch(watcher: (demo: DemoId) => void): void {
    this.watchers.push(watcher)
  }

  /** The demos for which any waits. */
  get demosWaiting(): Iterable<DemoId> {
    return this.order.demosWaiting
  }

  /** Predictions that were sent somewhere, or are to be canceled. */
  get allSent(): OpenPrediction[] {
    return [...this.sent].flatMap((arrival) => this.rows.get(arrival) ?? [])
  }

  /** Of those, the ones that nobody follows. */
  get left(): OpenPrediction[] {
    return this.allSent.filter(({ arrival }) => !this.followed.has(arrival))
  }

  /** Says where predictions can be sent from now on. */
  sendTo(ready: ReadonlyMap<DemoId, Ready>): void {
    this.ready = ready
  }

  /** The prediction to send next. */
  next(): OpenPrediction | undefined {
    const arrival = this.order.next((demo) => this.ready.get(demo)?.concurrency ?? 0, this.limits)
    return arrival === undefined ? undefined : this.rows.get(arrival)
  }

  /**
   * The place of a prediction that does not run among those of its demo. 1 is next, or is being sent. Undefined: there
   * is none such.
   */
  placeOf(demo: DemoId, arrival: number): number | undefined {
    const before = this.onTheWay.get(demo) ?? []
    const place = this.order.placeOf(arrival)
    if (place !== undefined) return place + [...before].length
    const index = [...before].sort((a, b) => a - b).indexOf(arrival)
    return index < 0 ? undefined : index + 1
  }

  /** Whether it waits or is on its way. */
  waits(arrival: number): boolean {
    return this.rows.get(arrival)?.running === false
  }

  /** Somebody begins to follow it at its instance, which may have it from now on. */
  follow(arrival: number): void {
    this.followed.add(arrival)
    this.absentAt.delete(arrival)
    this.update(arrival)
  }

  /** Nobody follows it any more. `absentAt`: where it certainly is not. */
  leave(arrival: number, absentAt: string | undefined): void {
    this.followed.delete(arrival)
    this.leaving.delete(arrival)
    if (absentAt !== undefined) this.lacks(arrival, absentAt)
    this.update(arrival)
  }

  /** It ended at its instance, and another one may have its place. */
  freed(arrival: number): void {
    this.leaving.add(arrival)
    this.update(arrival)
  }

  /** The instance at this endpoint certainly does not have it. */
  lacks(arrival: number, endpoint: string): void {
    this.absentAt.set(arrival, endpoint)
  }

  /** Whether an instance may have it that was not heard to. */
  isUnsure({ arrival, sentTo, running }: OpenPrediction): boolean {
    return !running && sentTo !== null && this.absentAt.get(arrival) !== sentTo
  }

  /**
   * Where a prediction that arrives now is sent at once, so that this can be stored with it. It has to be given back by
   * `arrived`. Undefined: others go before it, or there is no place. What is sent then may be another one all the same.
   */
  reserve(demo: DemoId): Ready | undefined {
    const ready = this.ready.get(demo)
    const { waiting, holding } = this.order.of(demo)
    const arriving = this.arriving.get(demo) ?? 0
    const most = Math.min(partOf(this.limits), ready?.concurrency ?? 0, this.limits.running)
    if (waiting > 0 || holding + arriving >= most || this.order.holding + arriving >= this.limits.running)
      return undefined
    this.arriving.set(demo, arriving + 1)
    return ready
  }

  arrived(demo: DemoId): void {
    const arriving = (this.arriving.get(demo) ?? 0) - 1
    if (arriving > 0) this.arriving.set(demo, arriving)
    else this.arriving.delete(demo)
  }

  private changed(arrival: number, row: OpenPrediction | undefined): void {
    const before = this.rows.get(arrival)
    if (row) this.rows.set(arrival, row)
    else this.rows.delete(arrival)
    if (row && (row.running || row.sentTo !== null || row.cancelRequested)) this.sent.add(arrival)
    else this.sent.delete(arrival)
    if (!row) this.absentAt.delete(arrival)
    this.update(arrival, before)
  }

  /** Brings its place up to date. `before`: what is known of one that is there no more. */
  private update(arrival: number, before = this.rows.get(arrival)): void {
    const row = this.rows.get(arrival)
    const holds = row !== undefined && (row.running || this.followed.has(arrival) || this.isUnsure(row))
    if (row && !this.leaving.has(arrival)) this.order.set(row, holds)
    else this.order.delete(arrival)
    const demo = (row ?? before)?.demo
    if (demo === undefined) return
    const those = this.onTheWay.get(demo) ?? new Set()
    if (row && holds && !row.running) those.add(arrival)
    else those.delete(arrival)
    if (those.size > 0) this.onTheWay.set(demo, those)
    else this.onTheWay.delete(demo)
    for (const watch of this.watchers) watch(demo)
  }
}
