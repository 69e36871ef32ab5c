import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { unlessAbsent } from '@origami/host/absent-files'
import type { LogLine } from '../../logs/log-line.ts'
import type { LogCursor } from '../engine.ts'

const pollMs = 100
/** The bytes read at once. Each read looks into the folder and at the instance. */
const chunkBytes = 256 * 1024
const stampLength = 24
const newline = 10

/**
 * The lines of an instance's log files from a cursor (an offset in bytes) on. It follows them until `ended` says that
 * no more come. Holds one line of at most `maxBytes`. Throws Error when a file cannot be read.
 */
export async function* readInstanceLog(
  folder: string,
  after: LogCursor | undefined,
  maxBytes: number,
  ended: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncIterable<LogLine & { cursor: LogCursor }> {
  let offset = Number(after ?? 0)
  const line = new StoredLine(maxBytes)
  while (!signal.aborted) {
    const last = await ended()
    const { start, bytes } = await bytesFrom(folder, offset)
    // The rest of this line was in an old file, which is gone.
    if (start !== offset) line.clear()
    let from = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, from)) {
      line.add(bytes.subarray(from, end))
      from = end + 1
      yield { ...line.take(), cursor: String(start + from) }
    }
    line.add(bytes.subarray(from))
    offset = start + bytes.length
    if (bytes.length > 0) continue
    if (last) return
    // An aborted wait rejects, and the loop ends by its condition.
    await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

/**
 * A line as the shim writes it: a time, a space and the text. The instance can write to the file too, so its content is
 * checked.
 */
class StoredLine {
  private readonly max: number
  private parts: Buffer[] = []
  private length = 0
  private isCut = false

  constructor(maxBytes: number) {
    this.max = maxBytes + stampLength + 1
  }

  add(more: Buffer): void {
    const fitting = more.subarray(0, this.max - this.length)
    this.isCut ||= fitting.length < more.length
    if (fitting.length > 0) this.parts.push(fitting)
    this.length += fitting.length
  }

  take(): LogLine {
    const line = Buffer.concat(this.parts).toString('utf8')
    const at = new Date(line.slice(0, stampLength))
    // Earlier versions of the shim kept what a progress bar overwrites.
    const text =
      line
        .slice(stampLength + 1)
        .split('\r')
        .findLast((piece) => piece !== '') ?? ''
    const mark = this.isCut ? ' (cut)' : ''
    this.clear()
    return { at: Number.isNaN(at.getTime()) ? new Date() : at, source: 'demo', text: text + mark }
  }

  clear(): void {
    this.parts = []
    this.length = 0
    this.isCut = false
  }
}

/** The next bytes from an offset on, or from the oldest byte that is left. */
async function bytesFrom(folder: string, offset: number): Promise<{ start: number; bytes: Buffer }> {
  // The folder disappears with its instance, and then there is nothing to read.
  const names = (await readdir(folder).catch(unlessAbsent([]))).filter((name) => /^log-\d+$/.test(name)).toSorted()
  const starts = names.map((name) => Number(name.slice(4)))
  const oldest = starts.findLastIndex((start) => start <= offset)
  for (let index = Math.max(0, oldest); index < names.length; index += 1) {
    const [name = '', first = 0] = [names[index], starts[index]]
    const from = Math.max(offset, first)
    const bytes = await readAt(join(folder, name), from - first)
    if (bytes.length > 0 || index === names.length - 1) return { start: from, bytes }
  }
  return { start: offset, bytes: Buffer.alloc(0) }
}

async function readAt(path: string, position: number): Promise<Buffer> {
  // The file may disappear during the read, because the shim keeps only the newest files.
  const file = await open(path).catch(unlessAbsent(undefined))
  if (!file) return Buffer.alloc(0)
  try {
    const bytes = Buffer.alloc(chunkBytes)
    const { bytesRead } = await file.read(bytes, 0, chunkBytes, position)
    return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
