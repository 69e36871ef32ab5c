import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Answers JSON with an ETag, and 304 to callers who have it already (RFC 9110, 13.1.2). It is for what pages request
 * again and again.
 */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  const text = JSON.stringify(answer)
  const etag = `"${hash('sha256', text, 'base64url')}"`
  reply.headers({ etag, 'cache-control': 'private, no-cache' })
  if (has(request.headers['if-none-match'], etag)) return reply.status(304).send()
  return reply.type('application/json; charset=utf-8').send(text)
}

/** The comparison is weak, since a proxy that compresses makes a tag weak. */
const has = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false
