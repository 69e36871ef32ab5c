import { Full, Gone, Invalid } from '@origami/protocol/demo'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { BodyRefused } from './limit-json.ts'

/** Errors to HTTP, once. The text of a 5xx that is ours stays in the log, under the id that is answered. */
export function sendError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Invalid) {
    const tooLarge = error.problems.some((problem) => problem.type === 'value_error.too_large')
    const detail = error.problems.map(({ field, message, type }) => ({
      loc: ['body', 'input', ...(field ? [field] : [])],
      msg: message,
      type,
    }))
    return reply.status(tooLarge ? 413 : 422).send({ detail })
  }
  if (error instanceof Full)
    return reply.status(429).header('retry-after', error.retryAfterSeconds).send({ error: error.message })
  if (error instanceof Gone) return reply.status(503).send({ error: error.message, status: 'failed' })
  if (error instanceof BodyRefused && error.statusCode === 503)
    return reply.status(503).header('retry-after', 5).send({ error: error.message })
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status < 500) return reply.status(status).send({ error: error.message })
  request.log.error(error)
  return reply.status(500).send({ error: 'Something went wrong here; the log has it under this id.', id: request.id })
}
