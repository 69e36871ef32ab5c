import type { Readable } from 'node:stream'

const record = '\u001e'
/** A mark is shorter; more after the record separator is text like any other. */
const longestMark = 128
/** Marks that nobody waited for: a model may print what looks like one. */
const maxMarks = 100

/** What a worker prints, as it comes. End marks are taken out and told apart. */
export class Terminal {
  private rest = ''
  private readonly marked = new Set<string>()
  private readonly waiting = new Map<string, () => void>()
  readonly ended: Promise<void>

  constructor(stream: Readable, onText: (text: string) => void) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.take(text, onText))
    this.ended = new Promise((resolve) =>
      stream.once('close', () => {
        if (this.rest !== '') onText(this.rest)
        resolve()
      }),
    )
  }

  /** Resolves once all that was printed before the mark of `id` was told. */
  async until(id: string): Promise<void> {
    if (this.marked.delete(id)) return
    await new Promise<void>((resolve) => this.waiting.set(id, resolve))
  }

  private take(text: string, onText: (text: string) => void): void {
    this.rest += text
    while (this.rest !== '') {
      const end = this.rest.indexOf('\n')
      if (!this.rest.startsWith(record)) {
        const start = this.rest.indexOf(record)
        const printed = start < 0 ? this.rest : this.rest.slice(0, start)
        onText(printed)
        this.rest = this.rest.slice(printed.length)
      } else if (end < 0 && this.rest.length <= longestMark) {
        return
      } else if (end < 0 || end > longestMark) {
        onText(record)
        this.rest = this.rest.slice(record.length)
      } else {
        this.note(this.rest.slice(record.length, end))
        this.rest = this.rest.slice(end + 1)
      }
    }
  }

  private note(id: string): void {
    const wake = this.waiting.get(id)
    if (wake) wake()
    else this.marked.add(id)
    this.waiting.delete(id)
    const [oldest] = this.marked
    if (this.marked.size > maxMarks && oldest !== undefined) this.marked.delete(oldest)
  }
}
