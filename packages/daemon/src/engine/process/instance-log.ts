import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { LogCursor, LogLine } from '../engine.ts'

const pollMs = 100

/** Lines of an instance's log files from a cursor (an offset in bytes) on; follows until `ended` says that no more come. */
export async function* readInstanceLog(
  folder: string,
  after: LogCursor | undefined,
  ended: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncIterable<LogLine & { cursor: LogCursor }> {
  let offset = Number(after ?? 0)
  let rest = Buffer.alloc(0)
  while (!signal.aborted) {
    const last = await ended()
    const { start, bytes } = await bytesFrom(folder, offset)
    if (start !== offset) rest = Buffer.alloc(0)
    offset = start + bytes.length
    rest = Buffer.concat([rest, bytes])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
      yield { at: new Date(line.slice(0, 24)), source: 'demo', text: line.slice(25), cursor: String(offset - rest.length) }
    }
    if (bytes.length > 0) continue
    if (last) return
    await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }
}

/** What there is from an offset on, or from the oldest byte left. */
async function bytesFrom(folder: string, offset: number): Promise<{ start: number; bytes: Buffer }> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('log-')).toSorted()
  const starts = names.map((name) => Number(name.slice(4)))
  const index = Math.max(
    0,
    starts.findLastIndex((start) => start <= offset),
  )
  const [name, first] = [names[index], starts[index]]
  if (name === undefined || first === undefined) return { start: offset, bytes: Buffer.alloc(0) }
  await using file = await open(join(folder, name))
  const { size } = await file.stat()
  const from = Math.max(offset, first)
  const next = names[index + 1]
  if (from >= first + size && next !== undefined) return bytesFrom(folder, Number(next.slice(4)))
  const bytes = Buffer.alloc(Math.max(0, first + size - from))
  await file.read(bytes, 0, bytes.length, from - first)
  return { start: from, bytes }
}
