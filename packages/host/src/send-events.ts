import { once } from 'node:events'
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

/**
 * Answers with `text/event-stream`. The signal passed to `events` aborts when the reader leaves. The promise resolves
 * when either side is done. Headers that were set on the reply are kept. A comment every `keepAliveMs` shows that the
 * connection is alive.
 */
export async function sendEvents(
  reply: FastifyReply,
  events: (signal: AbortSignal) => AsyncIterable<ServerEvent>,
  keepAliveMs = 15_000,
  slowestMs = usualSlowestMs,
): Promise<void> {
  const socket = reply.raw
  reply.hijack()
  socket.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  // HEAD gets the headers and no body, and the connection stays usable.
  if (reply.request.method === 'HEAD') return void socket.end()
  const gone = new AbortController()
  socket.flushHeaders()
  socket.once('close', () => gone.abort())
  const keepAlive = setInterval(() => socket.writableNeedDrain || socket.write(': keep-alive\n\n'), keepAliveMs)
  try {
    for await (const event of events(gone.signal)) {
      if (gone.signal.aborted) break
      if (!socket.write(encodeEvent(event)))
        await once(socket, 'drain', { signal: AbortSignal.any([gone.signal, AbortSignal.timeout(slowestMs)]) })
    }
  } catch (error) {
    if (!gone.signal.aborted) reply.log.error(error, 'an event stream broke off')
    // The socket is destroyed, because a normal end would wait until the reader has taken everything written before.
    socket.destroy()
  } finally {
    clearInterval(keepAlive)
    socket.end()
  }
}

/** The encoding of the HTML standard. JSON has no line breaks, so one `data` line is enough. */
function encodeEvent({ id, event, data }: ServerEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}
