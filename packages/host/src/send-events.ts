import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** One server-sent event. `data` is sent as JSON. */
export interface ServerEvent {
  readonly id?: string | number | undefined
  readonly event?: string | undefined
  readonly data: unknown
}

/**
 * A reader that takes nothing for so long is disconnected, so that its events do not fill the memory. It can continue
 * where it was.
 */
const usualSlowestMs = 60_000

/** So many characters are written at once, however long the turn of the event loop still is. */
const mostGathered = 64 * 1024

/**
 * Answers with `text/event-stream`. The signal passed to `events` aborts when the reader leaves. The promise resolves
 * when either side is done. Headers that were set on the reply are kept. A comment every `keepAliveMs` shows that the
 * connection is alive. Events of one turn of the event loop are one write; a reader that takes less than comes holds
 * back `events`.
 */
export async function sendEvents(
  reply: FastifyReply,
  events: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  keepAliveMs = 15_000,
  slowestMs = usualSlowestMs,
): Promise<void> {
  const response = reply.raw
  reply.hijack()
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  // HEAD gets the headers and no body, and the connection stays usable.
  if (reply.request.method === 'HEAD') return void response.end()
  const gone = new AbortController()
  const text = new GatheredText(response)
  if (response.destroyed) gone.abort()
  response.once('close', () => gone.abort())
  const keepAlive = setInterval(() => response.writableNeedDrain || text.write(': keep-alive\n\n'), keepAliveMs)
  try {
    for await (const event of events(gone.signal)) {
      if (gone.signal.aborted) break
      text.write(encodeEvent(event))
      if (response.writableNeedDrain)
        await once(response, 'drain', { signal: AbortSignal.any([gone.signal, AbortSignal.timeout(slowestMs)]) })
    }
  } catch (error) {
    if (!gone.signal.aborted) reply.log.error(error, 'an event stream broke off')
    // The socket is destroyed, because a normal end would wait until the reader has taken everything written before.
    response.destroy()
  } finally {
    clearInterval(keepAlive)
    text.end()
  }
}

/** The body of an answer, of which what is written in one turn of the event loop goes out in one write. */
class GatheredText {
  private readonly response: ServerResponse
  private waiting = ''
  /** The headers go with what the first turn writes, or at its end. */
  private flushing: NodeJS.Immediate | undefined = setImmediate(() => this.flush())

  constructor(response: ServerResponse) {
    this.response = response
  }

  write(text: string): void {
    this.waiting += text
    if (this.waiting.length >= mostGathered) this.flush()
    else this.flushing ??= setImmediate(() => this.flush())
  }

  end(): void {
    clearImmediate(this.flushing)
    if (this.response.destroyed || this.waiting === '') this.response.end()
    else this.response.end(this.waiting)
  }

  private flush(): void {
    clearImmediate(this.flushing)
    this.flushing = undefined
    const { response, waiting } = this
    if (response.destroyed) return
    this.waiting = ''
    if (waiting !== '') response.write(waiting)
    else response.flushHeaders()
  }
}

/** The encoding of the HTML standard. JSON has no line breaks, so one `data` line is enough. */
function encodeEvent({ id, event, data }: ServerEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}
