import { constants, createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { Notices } from '@origami/host/notices'
import type { DemoId } from '@origami/protocol/demo'
import PQueue from 'p-queue'
import type { Limits } from '../config.ts'
import type { LogLine } from './log-line.ts'
import { redact } from './redact.ts'

const chunkBytes = 64 * 1024
const markBytes = 200
/** The first line of a log that lost its older half. It says where the log begins, counted from the very first byte. */
const markPattern = /^\S+ deploy \(older lines were dropped here\) this one begins at byte (\d+)\n/
const breaks = /[\n\v\f\r\u0085\u2028\u2029]+/g
/** A text that whoever shows the log breaks into lines would have lines that nobody wrote. */
const oneLine = (text: string): string => text.replaceAll(breaks, ' ')
/** The line has the same length for every number, because where the log begins depends on its length. */
const mark = (base: number): string =>
  `${new Date().toISOString()} deploy (older lines were dropped here) this one begins at byte ${String(base).padStart(16, '0')}\n`

/**
 * The log of each demo: `logs/<demo>.log`, from the clone to the last line that it printed. Its size is limited: the
 * older half is dropped, and a line says so. Offsets count bytes from the very first line and stay valid when lines are
 * dropped. The first line of the rest says where it begins, so that content and start change in one step.
 */
export class DemoLogs {
  private readonly folder: string
  private readonly limits: Pick<Limits, 'logBytes'>
  private readonly changed = new Notices<DemoId>()
  /** A queue for each log that is being written. Writes happen in the order of the calls. */
  private readonly turns = new Map<DemoId, PQueue>()

  private constructor(folder: string, limits: Pick<Limits, 'logBytes'>) {
    this.folder = folder
    this.limits = limits
  }

  static async open(folder: string, limits: Pick<Limits, 'logBytes'>): Promise<DemoLogs> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new DemoLogs(folder, limits)
  }

  /**
   * Appends lines to a demo's log in the order of the calls. Resolves when they are written, so that a caller who waits
   * is no faster than the disk.
   */
  append(demo: DemoId, lines: readonly LogLine[]): Promise<void> {
    return this.oneAtATime(demo, async () => {
      const text = lines
        .map(({ at, source, text }) => `${at.toISOString()} ${source} ${redact(oneLine(text))}\n`)
        .join('')
      const file = await open(
        this.path(demo),
        constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
        0o600,
      )
      try {
        await file.appendFile(text)
        if ((await file.stat()).size > this.limits.logBytes) await this.halve(demo)
      } finally {
        await file.close()
      }
      this.changed.notify(demo)
    })
  }

  /**
   * Yields the bytes from `offset` on (or from the oldest byte), and with `follow` also those that come later, until
   * the signal aborts.
   */
  async *read(demo: DemoId, offset: number, follow: boolean, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let position = offset
    let changed: Promise<void> | undefined
    while (!signal.aborted) {
      const { start, bytes } = await this.from(demo, position)
      position = start + bytes.length
      if (bytes.length > 0) yield bytes
      else if (!follow) return
      else if (changed) {
        await changed
        changed = undefined
      } else changed = this.changed.next(demo, signal)
    }
  }

  /** The offset after the last byte. */
  async end(demo: DemoId): Promise<number> {
    return this.opened(demo, async (file) => (await baseOf(file, this.oldBasePath(demo))) + (await file.stat()).size, 0)
  }

  async tail(demo: DemoId, lines: number): Promise<string[]> {
    const end = await this.end(demo)
    const text = (await this.from(demo, Math.max(0, end - chunkBytes))).bytes.toString('utf8')
    return text.trimEnd().split('\n').slice(-lines)
  }

  async forget(demo: DemoId): Promise<void> {
    await this.oneAtATime(demo, async () => {
      for (const path of [this.path(demo), this.freshPath(demo), this.oldBasePath(demo)])
        await rm(path, { force: true })
    })
  }

  /** Reads at most `chunkBytes` from an offset on, from the file as it is now. */
  private from(demo: DemoId, offset: number): Promise<{ start: number; bytes: Buffer }> {
    return this.opened(
      demo,
      async (file) => {
        const base = await baseOf(file, this.oldBasePath(demo))
        const { size } = await file.stat()
        const start = Math.min(Math.max(0, offset - base), size)
        return { start: base + start, bytes: await readAt(file, start, chunkBytes) }
      },
      { start: 0, bytes: Buffer.alloc(0) },
    )
  }

  private async opened<Result>(
    demo: DemoId,
    work: (file: FileHandle) => Promise<Result>,
    absent: Result,
  ): Promise<Result> {
    // A demo that has printed nothing yet has no log.
    const file = await open(this.path(demo), constants.O_RDONLY | constants.O_NOFOLLOW).catch(unlessAbsent(undefined))
    if (!file) return absent
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  }

  /**
   * Keeps the newer half, from the beginning of a line. It is written to another file, which then replaces the log in
   * one step.
   */
  private async halve(demo: DemoId): Promise<void> {
    const path = this.path(demo)
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { size } = await file.stat()
    const cut = await lineStart(file, size - Math.floor(this.limits.logBytes / 2), size)
    const base = (await baseOf(file, this.oldBasePath(demo))) + cut
    await using fresh = await open(this.freshPath(demo), 'w', 0o600)
    await fresh.appendFile(mark(Math.max(0, base - mark(0).length)))
    for await (const bytes of createReadStream(path, { start: cut })) await fresh.appendFile(bytes as Buffer)
    await fresh.datasync()
    await rename(this.freshPath(demo), path)
    await rm(this.oldBasePath(demo), { force: true })
  }

  private async oneAtATime(demo: DemoId, work: () => Promise<void>): Promise<void> {
    await this.turn(demo).add(work)
  }

  private turn(demo: DemoId): PQueue {
    const before = this.turns.get(demo)
    if (before) return before
    const turn = new PQueue({ concurrency: 1 })
    turn.addEventListener('idle', () => this.turns.delete(demo))
    this.turns.set(demo, turn)
    return turn
  }

  private path(demo: DemoId): string {
    return join(this.folder, `${demo}.log`)
  }

  private freshPath(demo: DemoId): string {
    return `${this.path(demo)}.fresh`
  }

  /** The file in which earlier versions kept the offset of a log's first byte. */
  private oldBasePath(demo: DemoId): string {
    return `${this.path(demo)}.base`
  }
}

/** The offset of a log's first byte. */
async function baseOf(file: FileHandle, oldBasePath: string): Promise<number> {
  const first = (await readAt(file, 0, markBytes)).toString('utf8')
  const marked = markPattern.exec(first)?.[1]
  // Only earlier versions wrote this file.
  return Number(marked ?? (await readFile(oldBasePath, 'utf8').catch(unlessAbsent('0'))))
}

/** The beginning of the first line after a position. */
async function lineStart(file: FileHandle, position: number, size: number): Promise<number> {
  for (let at = Math.max(0, position); at < size; at += chunkBytes) {
    const newline = (await readAt(file, at, chunkBytes)).indexOf('\n')
    if (newline >= 0) return at + newline + 1
  }
  return size
}

async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, start)
  return bytes.subarray(0, bytesRead)
}
