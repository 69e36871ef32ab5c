import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { Lines } from '../../logs/lines.ts'
import type { LogLine } from '../../logs/log-line.ts'
import type { LogCursor } from '../engine.ts'
import { FolderChanges } from './folder-changes.ts'

/** The bytes read at once. Each read looks into the folder and at the instance. */
const chunkBytes = 256 * 1024
const newline = 10
/** Earlier shims wrote a time before each line, into files of another name. */
const stampedFile = /^log-/
const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /

type OutputLine = LogLine & { cursor: LogCursor }

/** A part of what an instance printed. */
interface Output {
  /** The offset of its first byte. */
  readonly start: number
  readonly bytes: Buffer
  /** When its file was last written. That is when bytes which just came were printed. */
  readonly at: Date
  readonly isStamped?: boolean
}

/**
 * The lines of an instance's output from a cursor (an offset in bytes) on. It follows them until `ended` says that no
 * more come. Holds one line of at most `maxBytes`. Throws Error when a file cannot be read.
 */
export async function* readInstanceLog(
  folder: string,
  after: LogCursor | undefined,
  maxBytes: number,
  ended: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncIterable<OutputLine> {
  let offset = Number(after ?? 0)
  const lines = new OutputLines(offset, maxBytes)
  using changes = new FolderChanges()
  while (!signal.aborted) {
    const seen = changes.watch([folder])
    const last = await ended()
    const output = await outputFrom(folder, offset)
    yield* lines.of(output)
    offset = output.start + output.bytes.length
    if (output.bytes.length > 0) continue
    if (last) {
      yield* lines.end(output.at)
      return
    }
    await changes.after(seen, signal)
  }
}

/** Makes lines of output that comes in parts. */
class OutputLines {
  private readonly maxBytes: number
  private lines: Lines
  /** The offset of what comes next, and of the line that is not complete yet. */
  private next: number
  private lineStart: number
  /** Whether a line is passed over whose beginning is gone. */
  private isSkipping = false

  constructor(offset: number, maxBytes: number) {
    this.maxBytes = maxBytes
    this.lines = new Lines({ maxBytes })
    this.next = offset
    this.lineStart = offset
  }

  *of({ start, bytes, at, isStamped = false }: Output): Iterable<OutputLine> {
    // What is in between was in an old file, which is gone.
    if (start !== this.next) this.skip()
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      const complete = this.isSkipping ? [] : this.lines.push(bytes.subarray(from, end + 1))
      this.isSkipping = false
      from = end + 1
      this.lineStart = start + from
      yield* this.linesOf(
        complete.map((text) => (isStamped ? text.replace(stamp, '') : text)),
        at,
      )
    }
    if (!this.isSkipping) yield* this.linesOf(this.lines.push(bytes.subarray(from)), at)
    this.next = start + bytes.length
  }

  /** The last line, when no more output comes. */
  *end(at: Date): Iterable<OutputLine> {
    this.lineStart = this.next
    yield* this.linesOf(this.lines.end(), at)
  }

  private skip(): void {
    this.lines = new Lines({ maxBytes: this.maxBytes })
    this.isSkipping = true
  }

  /** A line that overwrites itself is read again by who continues after it. */
  private linesOf(texts: readonly string[], at: Date): OutputLine[] {
    return texts.map((text) => ({ at, source: 'demo', text, cursor: String(this.lineStart) }))
  }
}

/** The next bytes from an offset on, or from the oldest byte that is left. */
async function outputFrom(folder: string, offset: number): Promise<Output> {
  // The folder disappears with its instance, and then there is nothing to read.
  const names = (await readdir(folder).catch(unlessAbsent([])))
    .filter((name) => /^(output|log)-\d+$/.test(name))
    .toSorted()
  const starts = names.map((name) => Number(name.slice(name.indexOf('-') + 1)))
  const oldest = starts.findLastIndex((start) => start <= offset)
  for (let index = Math.max(0, oldest); index < names.length; index += 1) {
    const [name = '', first = 0] = [names[index], starts[index]]
    const start = Math.max(offset, first)
    const { bytes, at } = await readAt(join(folder, name), start - first)
    if (bytes.length > 0 || index === names.length - 1) return { start, bytes, at, isStamped: stampedFile.test(name) }
  }
  return { start: offset, bytes: Buffer.alloc(0), at: new Date() }
}

async function readAt(path: string, position: number): Promise<Omit<Output, 'start'>> {
  // The file may disappear during the read, because the shim keeps only the newest files.
  const file = await open(path).catch(unlessAbsent(undefined))
  if (!file) return { bytes: Buffer.alloc(0), at: new Date() }
  try {
    const bytes = Buffer.alloc(chunkBytes)
    const { bytesRead } = await file.read(bytes, 0, chunkBytes, position)
    return { bytes: bytes.subarray(0, bytesRead), at: (await file.stat()).mtime }
  } finally {
    await file.close()
  }
}
