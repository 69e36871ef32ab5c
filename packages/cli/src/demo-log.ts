import { setTimeout } from 'node:timers/promises'
import type { Api, DemoAddress } from './api.ts'
import { Failure } from './failure.ts'
import { patiently } from './patiently.ts'

/** A parsed line of a demo's log. `source` is deploy, clone or build, or demo for the demo's own output. */
export interface LogEntry {
  readonly at: string | null
  readonly source: string | null
  readonly text: string
}

interface LogRequest {
  /** The byte to start at. */
  readonly offset?: number
  /** Whether to wait for new lines, and to continue at the same place when the server was away. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

const maxLineBytes = 64 * 1024
const betweenMs = 250

/**
 * Reads the log of a demo line by line until its end, or until the signal aborts when it is followed. Throws Failure.
 */
export async function* demoLog(
  api: Pick<Api, 'send'>,
  { account, name }: DemoAddress,
  { offset = 0, follow, signal }: LogRequest,
): AsyncIterable<string> {
  let position = offset
  for (let answered = false; !signal.aborted; answered = true) {
    const sent = { params: { account, name }, query: { offset: position, follow: follow ? '1' : '0' } } as const
    const ask = () => api.send('GET /-/api/demos/:account/:name/logs', sent, signal)
    try {
      const { body } = await (answered ? patiently(ask, signal) : ask())
      for await (const { text, bytes } of linesOf(body ?? new ReadableStream<Uint8Array>(), follow)) {
        yield text
        position += bytes
      }
    } catch (error) {
      if (signal.aborted) return
      // A followed log whose connection broke is requested again from where it was.
      if (!follow || error instanceof Failure) throw error
    }
    if (!follow) return
    // An aborted wait ends the loop by its condition.
    await setTimeout(betweenMs, undefined, { signal }).catch(() => undefined)
  }
}

export function parseLogLine(line: string): LogEntry {
  const [, at, source, text] = /^(\d{4}-\d\d-\d\dT\S+) (\S+) ?(.*)$/s.exec(line) ?? []
  return at && source ? { at, source, text: text ?? '' } : { at: null, source: null, text: line }
}

/**
 * Lines with their length in bytes. A very long line comes in parts. When following, an incomplete last line is left
 * for the next request.
 */
async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  more: boolean,
): AsyncIterable<{ text: string; bytes: number }> {
  let rest = Buffer.alloc(0)
  for await (const part of body) {
    rest = Buffer.concat([rest, part])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield { text: rest.toString('utf8', 0, end), bytes: end + 1 }
      rest = rest.subarray(end + 1)
    }
    if (rest.length < maxLineBytes) continue
    yield { text: rest.toString('utf8'), bytes: rest.length }
    rest = Buffer.alloc(0)
  }
  if (rest.length > 0 && !more) yield { text: rest.toString('utf8'), bytes: rest.length }
}
