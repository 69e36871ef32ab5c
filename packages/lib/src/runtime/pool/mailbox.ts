import { Notice } from '@origami/host/notices'

/** A queue with one reader, who takes items in order. After it is closed the reader ends after the last item. */
export class Mailbox<Item> implements AsyncIterable<Item> {
  private readonly items: Item[] = []
  private readonly filled = new Notice()
  private closed = false

  /** False when it is closed, because nobody will read the item. */
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
