const newline = 10
const carriageReturn = 13

export interface LinesOptions {
  /** The longest line in bytes. The rest of a longer line is dropped, and the line says so. */
  readonly maxBytes?: number
  /** How often, in milliseconds, a line that overwrites itself (a progress bar) is shown at most. */
  readonly progressMs?: number
  /** The present time in milliseconds. */
  readonly clock?: () => number
}

/**
 * Splits a program's output into lines as a terminal shows them. A line ends at `\n`. When `\r` overwrites a line, its
 * last piece that is not empty counts, and it is shown at most every `progressMs` until then. A line longer than
 * `maxBytes` ends in ` (cut)`, and the rest of it is dropped. Holds two pieces of at most `maxBytes` each, however long
 * the output is.
 */
export class Lines {
  private readonly progressMs: number
  private readonly clock: () => number
  private piece: Piece
  private shown: Piece
  /** Whether `shown` is already in the log. */
  private isWritten = false
  private since: number

  constructor({ maxBytes = 64 * 1024, progressMs = 5000, clock = Date.now }: LinesOptions = {}) {
    this.progressMs = progressMs
    this.clock = clock
    this.piece = new Piece(maxBytes)
    this.shown = new Piece(maxBytes)
    this.since = clock()
  }

  /** The lines that these bytes complete. */
  push(bytes: Uint8Array): string[] {
    const lines: string[] = []
    let start = 0
    let [nextEnd, nextReturn] = [indexOf(bytes, newline, 0), indexOf(bytes, carriageReturn, 0)]
    while (Math.min(nextEnd, nextReturn) < bytes.length) {
      const at = Math.min(nextEnd, nextReturn)
      this.piece.add(bytes.subarray(start, at))
      start = at + 1
      if (at === nextEnd) {
        lines.push(...this.complete())
        nextEnd = indexOf(bytes, newline, start)
      } else {
        lines.push(...this.overwrite())
        nextReturn = indexOf(bytes, carriageReturn, start)
      }
    }
    this.piece.add(bytes.subarray(start))
    return lines
  }

  /** The last line, when no more output comes. */
  end(): string[] {
    return this.piece.isEmpty && this.shown.isEmpty ? [] : this.complete()
  }

  private complete(): string[] {
    const line = this.piece.isEmpty ? this.shown : this.piece
    const lines = line === this.shown && this.isWritten ? [] : [line.text()]
    this.piece.clear()
    this.shown.clear()
    this.isWritten = false
    this.since = this.clock()
    return lines
  }

  private overwrite(): string[] {
    if (this.piece.isEmpty) return []
    ;[this.piece, this.shown] = [this.shown, this.piece]
    this.piece.clear()
    this.isWritten = this.clock() - this.since >= this.progressMs
    if (!this.isWritten) return []
    this.since = this.clock()
    return [this.shown.text()]
  }
}

/**
 * The index of a byte from `start` on, or the length when the byte is not there. Much faster than a loop over the bytes
 * here.
 */
function indexOf(bytes: Uint8Array, byte: number, start: number): number {
  const at = bytes.indexOf(byte, start)
  return at < 0 ? bytes.length : at
}

/** Collects bytes up to a limit, in a buffer that grows with them. */
class Piece {
  private readonly max: number
  private bytes = Buffer.alloc(256)
  private length = 0
  private isCut = false

  constructor(max: number) {
    this.max = max
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  add(more: Uint8Array): void {
    const fitting = more.subarray(0, this.max - this.length)
    this.isCut ||= fitting.length < more.length
    const length = this.length + fitting.length
    if (length > this.bytes.length) {
      const larger = Buffer.alloc(Math.min(this.max, Math.max(length, this.bytes.length * 2)))
      larger.set(this.bytes.subarray(0, this.length))
      this.bytes = larger
    }
    this.bytes.set(fitting, this.length)
    this.length = length
  }

  /** When the limit cuts a character, that character is dropped too. */
  text(): string {
    const text = this.bytes.toString('utf8', 0, this.length)
    return this.isCut ? `${text.replace(/\ufffd$/, '')} (cut)` : text
  }

  clear(): void {
    this.length = 0
    this.isCut = false
  }
}
