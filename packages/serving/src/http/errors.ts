import { Full, Gone, Invalid } from '@origami/protocol/demo'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ZodError } from 'zod'
import { BodyRefused } from './limit-json.ts'
import { clipped, misfitMessage } from './misfit.ts'

/** An error that defines its own answer, even above 500, where the messages of other errors are only logged. */
export interface AnswersItself extends Error {
  readonly statusCode: number
  readonly answer: { readonly error: string; readonly authorize?: string }
}

/**
 * The one place that turns errors into HTTP answers. The message of our own 5xx is only logged, under the id that is
 * answered.
 */
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
  // The connection is closed, so that the rest of the body is not waited for.
  if (error instanceof BodyRefused && error.statusCode === 408) reply.header('connection', 'close')
  if (answersItself(error)) return reply.status(error.statusCode).send(error.answer)
  const misfit = misfitOf(error)
  if (misfit) return reply.status(misfit.status).send({ error: misfit.message })
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  if (status < 500) return reply.status(status).send({ error: clipped(messageOf(error, request)) })
  request.log[isLeaving(error, reply) ? 'info' : 'error'](error)
  return reply.status(500).send({ error: 'Something went wrong here; the log has it under this id.', id: request.id })
}

/** Whether the caller just left while sending. That is no error, and nobody reads the answer. */
const isLeaving = (error: Error, { raw }: FastifyReply): boolean =>
  raw.destroyed &&
  [error, error.cause].some((one) => one instanceof Error && 'code' in one && one.code === 'ECONNRESET')

/**
 * The answer for a request that does not fit its schema: 404 for a part of the address, 422 for other parts, which are
 * named.
 */
function misfitOf(error: FastifyError | Error): { status: number; message: string } | undefined {
  if (error instanceof ZodError) return { status: 422, message: misfitMessage(error.issues) }
  if (!('validation' in error) || !error.validation) return undefined
  if (error.validationContext === 'params')
    return { status: 404, message: error.validation[0]?.message ?? error.message }
  const issues = error.validation.map(({ instancePath, message = '', params: { errors } }) => ({
    path: instancePath.split('/').filter((part) => part !== ''),
    message,
    errors,
  }))
  return { status: 422, message: misfitMessage(issues, error.validationContext === 'body' ? 'the body' : '') }
}

function messageOf(error: FastifyError | Error, { headers }: FastifyRequest): string {
  if (!('code' in error) || error.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return error.message
  return `expected content-type: application/json, or of a file its own; got ${headers['content-type'] ?? 'none'}`
}

const answersItself = (error: Error): error is AnswersItself => 'answer' in error && 'statusCode' in error
