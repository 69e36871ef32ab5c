import type { FastifyReply } from 'fastify'

/**
 * Sends the headers before the first bytes of a body that may be slow to begin, so that clients do not time out. Use it
 * as the body of this reply.
 */
export async function* headersFirst(reply: FastifyReply, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (reply.request.method !== 'HEAD') reply.raw.flushHeaders()
  yield* bytes
}
