import type { OpenPrediction } from '../store/predictions.ts'

/** How long each prediction was found no room for at an instance in which nothing runs: it may fit none. */
export class NoRoom {
  private readonly since = new Map<number, number>()
  private readonly nowMs: () => number

  /** `nowMs`: a clock that is never set back. */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  /** Milliseconds since there was no room for it first. `runs`: others run there, and leave room when they end. */
  found(arrival: number, runs: boolean): number {
    const now = this.nowMs()
    const since = runs ? now : (this.since.get(arrival) ?? now)
    this.since.set(arrival, since)
    return now - since
  }

  /** Forgets what does not wait any more. */
  keep(open: readonly OpenPrediction[]): void {
    const waiting = new Set(open.flatMap(({ running, arrival }) => (running ? [] : [arrival])))
    for (const arrival of this.since.keys()) if (!waiting.has(arrival)) this.since.delete(arrival)
  }
}
