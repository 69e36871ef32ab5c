import type { Readable } from 'node:stream'

const record = '\u001e'

/** What a worker prints, as it comes. End marks are taken out and told apart. */
export class Terminal {
  private rest = ''
  private readonly marked = new Set<string>()
  private readonly waiting = new Map<string, () => void>()
  readonly ended: Promise<void>

  constructor(stream: Readable, onText: (text: string) => void) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.take(text, onText))
    this.ended = new Promise((resolve) => stream.once('close', resolve))
  }

  /** Resolves once all that was printed before the mark of `id` was told. */
  async until(id: string): Promise<void> {
    if (this.marked.delete(id)) return
    await new Promise<void>((resolve) => this.waiting.set(id, resolve))
  }

  private take(text: string, onText: (text: string) => void): void {
    this.rest += text
    for (;;) {
      const start = this.rest.indexOf(record)
      const end = start < 0 ? -1 : this.rest.indexOf('\n', start)
      const printed = start < 0 ? this.rest : this.rest.slice(0, start)
      if (printed !== '') onText(printed)
      if (end < 0) {
        this.rest = start < 0 ? '' : this.rest.slice(start)
        return
      }
      this.note(this.rest.slice(start + 1, end))
      this.rest = this.rest.slice(end + 1)
    }
  }

  private note(id: string): void {
    const wake = this.waiting.get(id)
    if (wake) wake()
    else this.marked.add(id)
    this.waiting.delete(id)
  }
}
