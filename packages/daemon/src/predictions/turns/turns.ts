import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { OpenPrediction } from '../../store/open-predictions.ts'
import type { OpenPredictions } from '../open-predictions.ts'
import { type Chosen, partOf, type QueueLimits, type Room } from './next.ts'
import { SendOrder } from './send-order.ts'

/** Where predictions of a demo can be sent now, and how many at a time. */
export interface Ready extends Room {
  readonly endpoint: string
  readonly deployment: { readonly id: DeploymentId; readonly commit_sha: string | null }
}

/**
 * Whose turn it is, of all predictions that wait or run. A prediction holds a place while it runs, while it is being
 * sent, and while an instance may have it; one that was sent ahead does once another has left its place.
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
  /** Of those, the ones that nobody follows. */
  private readonly unfollowed = new Set<number>()
  /** Of each demo, those that were sent and do not run, in the order in which they begin. */
  private readonly onTheWay = new Map<DemoId, Set<number>>()
  /** Of each demo, those that were sent before there was a place for them, in the order in which they get one. */
  private readonly ahead = new Map<DemoId, Set<number>>()
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
    return this.rowsOf(this.sent)
  }

  /** Of those, the ones that nobody follows. */
  get left(): OpenPrediction[] {
    return this.rowsOf(this.unfollowed)
  }

  /** Says where predictions can be sent from now on. */
  sendTo(ready: ReadonlyMap<DemoId, Ready>): void {
    this.ready = ready
  }

  /** The prediction to send next. */
  next(): Chosen<OpenPrediction> | undefined {
    const chosen = this.order.next((demo) => this.ready.get(demo), this.limits)
    const row = chosen && this.rows.get(chosen.row)
    return row && { row, isAhead: chosen.isAhead }
  }

  /** How many predictions of a demo wait, and how many were sent. */
  of(demo: DemoId): { readonly waiting: number; readonly sent: number } {
    const { waiting, holding, ahead } = this.order.of(demo)
    return { waiting, sent: holding + ahead }
  }

  /**
   * The place of a prediction that does not run among those of its demo. 1 is next, or is being sent. Undefined: there
   * is none such.
   */
  placeOf(demo: DemoId, arrival: number): number | undefined {
    const before = this.onTheWay.get(demo) ?? new Set()
    const place = this.order.placeOf(arrival)
    if (place !== undefined) return place + before.size
    const index = [...before].indexOf(arrival)
    return index < 0 ? undefined : index + 1
  }

  /** Whether it waits or is on its way. */
  waits(arrival: number): boolean {
    return this.rows.get(arrival)?.running === false
  }

  /**
   * Somebody begins to follow it at its instance, which may have it from now on. `isAhead`: there is no place for it
   * yet.
   */
  follow(arrival: number, isAhead = false): void {
    this.followed.add(arrival)
    this.absentAt.delete(arrival)
    const demo = this.rows.get(arrival)?.demo
    if (isAhead && demo !== undefined) this.ahead.set(demo, (this.ahead.get(demo) ?? new Set()).add(arrival))
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
    if (!ready) return undefined
    const { waiting, holding, ahead } = this.order.of(demo)
    const arriving = this.arriving.get(demo) ?? 0
    const places = Math.min(this.mostOf(demo), holding + Math.max(0, this.limits.running - this.order.holding))
    const others = places < this.mostOf(demo) ? 0 : ready.ahead
    if (waiting > 0 || holding + ahead + arriving >= places + others) return undefined
    this.arriving.set(demo, arriving + 1)
    return ready
  }

  arrived(demo: DemoId): void {
    const arriving = (this.arriving.get(demo) ?? 0) - 1
    if (arriving > 0) this.arriving.set(demo, arriving)
    else this.arriving.delete(demo)
  }

  private rowsOf(arrivals: ReadonlySet<number>): OpenPrediction[] {
    return [...arrivals].flatMap((arrival) => this.rows.get(arrival) ?? [])
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
    const demo = (row ?? before)?.demo
    if (this.sent.has(arrival) && !this.followed.has(arrival)) this.unfollowed.add(arrival)
    else this.unfollowed.delete(arrival)
    if (demo === undefined) return
    const isSent = row !== undefined && (row.running || this.followed.has(arrival) || this.isUnsure(row))
    const isLeaving = this.leaving.has(arrival)
    if (!isSent || row.running || isLeaving || !this.followed.has(arrival)) remove(this.ahead, demo, arrival)
    if (isSent && !row.running) this.onTheWay.set(demo, (this.onTheWay.get(demo) ?? new Set()).add(arrival))
    else remove(this.onTheWay, demo, arrival)
    const isAhead = this.ahead.get(demo)?.has(arrival) === true
    if (row && !isLeaving) this.order.set(row, isAhead ? 'ahead' : isSent ? 'holds' : 'waits')
    else this.order.delete(arrival)
    this.fillPlaces(demo)
    for (const watch of this.watchers) watch(demo)
  }

  /** Gives places that became free to those that were sent ahead: their instance begins them now. */
  private fillPlaces(demo: DemoId): void {
    for (const arrival of this.ahead.get(demo) ?? []) {
      if (this.order.of(demo).holding >= this.mostOf(demo)) return
      const row = this.rows.get(arrival)
      remove(this.ahead, demo, arrival)
      if (row) this.order.set(row, 'holds')
    }
  }

  /** How many places a demo may hold. */
  private mostOf(demo: DemoId): number {
    return Math.min(partOf(this.limits), this.ready.get(demo)?.concurrency ?? 1)
  }
}

function remove(all: Map<DemoId, Set<number>>, demo: DemoId, arrival: number): void {
  const those = all.get(demo)
  those?.delete(arrival)
  if (those?.size === 0) all.delete(demo)
}
