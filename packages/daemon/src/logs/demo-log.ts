import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoId } from '@origami/protocol/demo'
import { Notice } from '@origami/serving'
import type { LogLine } from '../engine/engine.ts'
import { redact } from './redact.ts'

/**
 * The log of each demo: `logs/<demo>.log`, from the first byte cloned to the last line it printed. Capped: the older half goes, and a line says so.
 * Offsets count bytes from the very first line, and stay true when lines went.
 */
export class DemoLogs {
  private readonly folder: string
  private readonly maxBytes: number
  private readonly writing = new Map<DemoId, Promise<unknown>>()
  private readonly changed = new Notice()

  private constructor(folder: string, maxBytes: number) {
    this.folder = folder
    this.maxBytes = maxBytes
  }

  static async open(folder: string, maxBytes: number): Promise<DemoLogs> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return new DemoLogs(folder, maxBytes)
  }

  /** Lines of one demo are written in the order of the calls. */
  append(demo: DemoId, lines: readonly LogLine[]): Promise<void> {
    return this.inTurn(demo, async () => {
      const text = lines.map(({ at, source, text }) => `${at.toISOString()} ${source} ${redact(text)}\n`).join('')
      const file = await open(
        this.path(demo),
        constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
        0o600,
      )
      try {
        await file.write(text)
        if ((await file.stat()).size > this.maxBytes) await this.halve(demo)
      } finally {
        await file.close()
      }
      this.changed.notify()
    })
  }

  /** The bytes from `offset` on (or from the oldest there is), then, if `follow`, those that come, until the signal aborts. */
  async *read(demo: DemoId, offset: number, follow: boolean, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let position = offset
    while (!signal.aborted) {
      const changed = follow ? this.changed.next(signal) : undefined
      const { start, bytes } = await this.from(demo, position)
      position = start + bytes.length
      if (bytes.length > 0) yield bytes
      if (!changed) return
      await changed
    }
  }

  /** The offset after the last byte. */
  async end(demo: DemoId): Promise<number> {
    const { start, bytes } = await this.from(demo, Number.MAX_SAFE_INTEGER)
    return start + bytes.length
  }

  async tail(demo: DemoId, lines: number): Promise<string[]> {
    const text = (await this.from(demo, 0)).bytes.subarray(-64 * 1024).toString('utf8')
    return text.trimEnd().split('\n').slice(-lines)
  }

  async forget(demo: DemoId): Promise<void> {
    await this.inTurn(demo, async () => {
      await rm(this.path(demo), { force: true })
      await rm(this.basePath(demo), { force: true })
    })
  }

  private async from(demo: DemoId, offset: number): Promise<{ start: number; bytes: Buffer }> {
    return this.inTurn(demo, async () => {
      const base = await this.base(demo)
      const file = await open(this.path(demo), constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined)
      if (!file) return { start: base, bytes: Buffer.alloc(0) }
      try {
        const { size } = await file.stat()
        const start = Math.min(Math.max(0, offset - base), size)
        return { start: base + start, bytes: await readFrom(file, start, size - start) }
      } finally {
        await file.close()
      }
    })
  }

  /** Keeps the newer half, from a line's start. */
  private async halve(demo: DemoId): Promise<void> {
    const whole = await readFile(this.path(demo))
    const cut = whole.indexOf('\n', whole.length - Math.floor(this.maxBytes / 2)) + 1
    const mark = Buffer.from(`${new Date().toISOString()} deploy (older lines were dropped here)\n`)
    const fresh = `${this.path(demo)}.fresh`
    await writeFile(this.basePath(demo), String((await this.base(demo)) + cut - mark.length), { mode: 0o600 })
    await writeFile(fresh, Buffer.concat([mark, whole.subarray(cut)]), { mode: 0o600 })
    await rename(fresh, this.path(demo))
  }

  private async base(demo: DemoId): Promise<number> {
    return Number(await readFile(this.basePath(demo), 'utf8').catch(() => '0'))
  }

  private inTurn<Result>(demo: DemoId, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.writing.get(demo) ?? Promise.resolve()).then(work, work)
    this.writing.set(demo, turn)
    return turn
  }

  private path(demo: DemoId): string {
    return join(this.folder, `${demo}.log`)
  }

  private basePath(demo: DemoId): string {
    return `${this.path(demo)}.base`
  }
}

async function readFrom(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  const { bytesRead } = await file.read(bytes, 0, length, start)
  return bytes.subarray(0, bytesRead)
}
