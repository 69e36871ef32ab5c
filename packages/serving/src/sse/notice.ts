/** Wakes who waits for a change. Take the promise before reading the state, so that no change slips between. */
export class Notice {
  private readonly waiting = new Set<() => void>()

  notify(): void {
    for (const wake of [...this.waiting]) wake()
  }

  /** Resolves at the next `notify`, or when the signal aborts. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.waiting.add(wake)
      if (signal?.aborted) wake()
      else signal?.addEventListener('abort', wake, { once: true })
    })
  }
}
