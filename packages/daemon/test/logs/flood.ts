import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { DemoId } from '@origami/protocol/demo'
import { stampedLines } from '../../src/engine/docker/container-log.ts'
import { readInstanceLog } from '../../src/engine/process/instance-log.ts'
import { batches } from '../../src/logs/batches.ts'
import { DemoLogs } from '../../src/logs/demo-log.ts'
import type { LogLine } from '../../src/logs/log-line.ts'

const demo = '0123456789abcdef0123456789abcdef' as DemoId
const stamp = '2026-11-24T12:00:00.123456789Z'

/** A frame of Docker's log stream. */
export function frame(text: string, at = stamp, source = 1): Buffer {
  const payload = Buffer.from(`${at} ${text}`)
  const header = Buffer.alloc(8)
  header[0] = source
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

/**
 * What a demo prints, as Docker sends it, in pieces of 64 KiB, until `bytes` are read; `read` tells how far the reader
 * is.
 */
async function* dockerFlood(bytes: number, line: string, read: (bytes: number) => void): AsyncIterable<Uint8Array> {
  const one = frame(line)
  const chunk = Buffer.concat(Array.from({ length: Math.max(1, Math.floor((64 * 1024) / one.length)) }, () => one))
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    read(sent)
    yield chunk
    await setImmediate()
  }
}

/**
 * Carries a flood of lines into a demo's log, as the daemon does. Resolves to how many bytes of memory, above what
 * there was at the start, were in use at most.
 * `flood` calls `read` now and then; what is in use is looked at each time that `every` more bytes are read.
 */
export async function memoryOfFlood(
  flood: (read: (bytes: number) => void) => AsyncIterable<LogLine>,
  every = 4 * 1024 ** 2,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-flood-'))
  const logs = await DemoLogs.open(folder, { logBytes: 10 * 1024 ** 2 })
  let [before, most, last] = [0, 0, 0]
  const read = (bytes: number) => {
    if (bytes - last < every && before > 0) return
    last = bytes
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    before ||= heapUsed + arrayBuffers
    most = Math.max(most, heapUsed + arrayBuffers - before)
  }
  try {
    for await (const lines of batches(flood(read))) await logs.append(demo, lines)
    return most
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The flood of a container. */
export const containerFlood = (bytes: number, line: string) => (read: (bytes: number) => void) =>
  stampedLines(dockerFlood(bytes, line, read), undefined)

/** A log of an instance of the process engine, which printed `bytes`, as its shim leaves it. */
export async function instanceFolder(bytes: number, line: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-instance-'))
  const one = `${line}\n`
  const file = one.repeat(Math.ceil((1024 * 1024) / one.length))
  for (let start = 0; start < bytes; start += file.length)
    await writeFile(join(folder, `output-${String(start).padStart(16, '0')}`), file)
  return folder
}

/**
 * The flood of an instance of the process engine: its log files come and go, as its shim has them, so that no more than
 * a few are on disk at any time.
 */
export const instanceFlood = (bytes: number, line: string) =>
  async function* (read: (bytes: number) => void): AsyncIterable<LogLine> {
    const folder = await mkdtemp(join(tmpdir(), 'origami-instance-'))
    const one = `${line}\n`
    const text = one.repeat(Math.ceil((1024 * 1024) / one.length))
    const file = (start: number) => join(folder, `output-${String(start).padStart(16, '0')}`)
    let [written, dropped, reached] = [0, 0, 0]
    const ended = async () => {
      for (; written < bytes && written < reached + 2 * text.length; written += text.length)
        await writeFile(file(written), text)
      for (; dropped + text.length < reached; dropped += text.length) await rm(file(dropped))
      return written >= bytes
    }
    try {
      for await (const line of readInstanceLog(folder, undefined, 64 * 1024, ended, new AbortController().signal)) {
        reached = Number(line.cursor)
        read(reached)
        yield line
      }
      // A reader that falls behind would skip to the next file, so this shows that nothing was skipped.
      if (reached !== written) throw new Error(`expected ${written} bytes, and ${reached} were read`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

/** The first collection finds unused memory. Only the second one has surely freed the buffers in it. */
function collect(): void {
  globalThis.gc?.()
  globalThis.gc?.()
}
