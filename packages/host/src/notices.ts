/**
 * Wakes those who wait for a change. Take the promise before you read the state, so that no change is missed in
 * between.
 */
export class Notice {
  private readonly waiting = new Set<() => void>()

  /** Whether nobody waits. */
  get idle(): boolean {
    return this.waiting.size === 0
  }

  notify(): void {
    if (this.waiting.size === 0) return
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

/** A Notice for each topic. A topic that nobody waits for takes no memory. */
export class Notices<Topic> {
  private readonly topics = new Map<Topic, Notice>()

  notify(topic: Topic): void {
    this.topics.get(topic)?.notify()
  }

  notifyAll(): void {
    for (const notice of [...this.topics.values()]) notice.notify()
  }

  /** Resolves at the next `notify` of this topic, or when the signal aborts. */
  async next(topic: Topic, signal?: AbortSignal): Promise<void> {
    const notice = this.topics.get(topic) ?? new Notice()
    this.topics.set(topic, notice)
    await notice.next(signal)
    if (notice.idle && this.topics.get(topic) === notice) this.topics.delete(topic)
  }
}
