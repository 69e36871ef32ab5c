import type { FastifyReply } from 'fastify'

/**
 * The bytes of an answer, of which the first may be long in coming: its headers go before them, so that nobody takes it
 * for no answer. To be sent as the body of this reply.
 */
export async function* headersFirst(reply: FastifyReply, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (reply.request.method !== 'HEAD') reply.raw.flushHeaders()
  yield* bytes
}
