/**
 * Measures how long an instance has had no room for a prediction while nothing else ran there. Such a prediction may
 * never fit.
 */
export class NoRoom {
  private readonly since = new Map<number, number>()
  private readonly nowMs: () => number

  /** `nowMs` is a clock that is never set back. */
  constructor(nowMs: () => number) {
    this.nowMs = nowMs
  }

  /**
   * Milliseconds since there was first no room for it. `runs`: others run there and will leave room when they end, so
   * the time begins anew.
   */
  found(arrival: number, runs: boolean): number {
    const now = this.nowMs()
    const since = runs ? now : (this.since.get(arrival) ?? now)
    this.since.set(arrival, since)
    return now - since
  }

  /** Forgets predictions that do not wait any more. */
  keep(waits: (arrival: number) => boolean): void {
    for (const arrival of this.since.keys()) if (!waits(arrival)) this.since.delete(arrival)
  }
}
