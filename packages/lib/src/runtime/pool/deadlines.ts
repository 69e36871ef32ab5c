interface Expiring {
  /** Called once the deadline has come. */
  expire(): void
}

/** Deadlines with one timer for all, which costs less than one for each where most are cleared before they come. */
export class Deadlines {
  private readonly due = new Map<Expiring, number>()
  private timer: NodeJS.Timeout | undefined
  private nextMs = Number.POSITIVE_INFINITY

  /** Sets when something expires, from now on, in place of what was set before. */
  set(expiring: Expiring, ms: number): void {
    const dueMs = performance.now() + ms
    this.due.set(expiring, dueMs)
    if (dueMs < this.nextMs) this.look(dueMs, ms)
  }

  clear(expiring: Expiring): void {
    this.due.delete(expiring)
  }

  private look(atMs: number, afterMs: number): void {
    clearTimeout(this.timer)
    this.nextMs = atMs
    this.timer = setTimeout(() => this.expire(), Math.max(1, Math.ceil(afterMs))).unref()
  }

  private expire(): void {
    const now = performance.now()
    let next = Number.POSITIVE_INFINITY
    for (const [expiring, dueMs] of this.due) {
      if (dueMs > now) next = Math.min(next, dueMs)
      else {
        this.due.delete(expiring)
        expiring.expire()
      }
    }
    this.nextMs = next
    if (next < Number.POSITIVE_INFINITY) this.look(next, next - now)
  }
}
