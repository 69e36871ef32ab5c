import { once } from 'node:events'
import type { FastifyReply } from 'fastify'

/** One server-sent event. `data` is sent as JSON. */
export interface ServerEvent {
  readonly id?: string | number | undefined
  readonly event?: string | undefined
  readonly data: unknown
}

/**
 * A reader that takes nothing for so long is cut off: what is meant for it must not pile up here. It joins again where
 * it was.
 */
const usualSlowestMs = 60_000

/**
 * Answers with `text/event-stream`. The signal handed to `events` aborts when the reader leaves; the promise resolves
 * when either side is done. Headers set on the reply before are kept. A comment every `keepAliveMs` shows that somebody
 * is there.
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
  // What would be sent is told, and nothing is sent: the connection is free for what comes next.
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
    // Not ended in order: the rest of what was written would wait for the reader.
    socket.destroy()
  } finally {
    clearInterval(keepAlive)
    socket.end()
  }
}

/** As the HTML standard has it; JSON has no line breaks, so one `data` line is enough. */
export function encodeEvent({ id, event, data }: ServerEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}
