import type { Readable } from 'node:stream'

const record = '\u001e'
/** A mark is shorter than this. A longer text after the record separator is ordinary output. */
const longestMark = 128
/** How many unexpected marks are kept, because a model may print text that looks like a mark. */
const maxMarks = 100

/** A pipe to a child process, as Node has it. `pause` of its stream would still read ahead. */
interface Pipe {
  readStart?(): unknown
  readStop?(): unknown
}

/** Splits a worker's output into text and end marks. */
export class Terminal {
  private rest = ''
  private readonly marked = new Set<string>()
  private readonly waiting = new Map<string, () => void>()
  readonly ended: Promise<void>
  private isEnded = false
  private readonly stream: Readable & { readonly _handle?: Pipe | null }
  private isHeld = false
  private isReleased = false
  private readonly onMark: (id: string) => void

  /** `onMark` is called between the texts before and after a mark. */
  constructor(stream: Readable, onText: (text: string) => void, onMark: (id: string) => void = () => undefined) {
    this.onMark = onMark
    this.stream = stream
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.take(text, onText))
    this.ended = new Promise((resolve) =>
      stream.once('close', () => {
        if (this.rest !== '') onText(this.rest)
        this.isEnded = true
        for (const wake of this.waiting.values()) wake()
        resolve()
      }),
    )
  }

  /** Whether it can be held. */
  get canHold(): boolean {
    const { _handle: pipe } = this.stream
    return typeof pipe?.readStart === 'function' && typeof pipe.readStop === 'function'
  }

  /** Leaves what is printed from now on where it is, until it is to be read or a mark is waited for. */
  hold(): void {
    if (this.isHeld || this.isReleased) return
    this.isHeld = true
    this.stream._handle?.readStop?.()
  }

  read(): void {
    if (!this.isHeld) return
    this.isHeld = false
    this.stream._handle?.readStart?.()
  }

  /** Reads to the end, and is never held again. */
  release(): void {
    this.isReleased = true
    this.read()
  }

  /** Whether everything printed before the mark of `id` was passed on. It may be asked until it was. */
  hasPassed(id: string): boolean {
    return this.marked.delete(id) || this.isEnded
  }

  /**
   * Resolves once everything printed before the mark of `id` was passed on, or all that there was. One that is held is
   * read until then.
   */
  async until(id: string): Promise<void> {
    if (this.hasPassed(id)) return
    const wasHeld = this.isHeld
    await new Promise<void>((resolve) => {
      this.waiting.set(id, () => {
        if (wasHeld) this.hold()
        resolve()
      })
      this.read()
    })
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
    this.onMark(id)
    const wake = this.waiting.get(id)
    if (wake) wake()
    else this.marked.add(id)
    this.waiting.delete(id)
    const [oldest] = this.marked
    if (this.marked.size > maxMarks && oldest !== undefined) this.marked.delete(oldest)
  }
}
