import { Notice } from '@origami/host/notices'

/** What one side puts in, and one reader takes out in order. Closed: the reader ends after the last. */
export class Mailbox<Item> implements AsyncIterable<Item> {
  private readonly items: Item[] = []
  private readonly filled = new Notice()
  private closed = false

  /** False once it is closed: nobody will read it. */
  put(item: Item): boolean {
    if (this.closed) return false
    this.items.push(item)
    this.filled.notify()
    return true
  }

  close(): void {
    this.closed = true
    this.filled.notify()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      yield* this.items.splice(0)
      if (this.items.length > 0) continue
      if (this.closed) return
      await this.filled.next()
    }
  }
}
