import { isDiskFull } from '@origami/host/disk-full'
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

/** The answer for an error of the caller, or for a state of this server that the caller is told. */
export interface Told {
  readonly status: number
  readonly body: unknown
  /** Seconds. */
  readonly retryAfter?: number
}

/**
 * The one place that turns errors into HTTP answers. The message of our own 5xx is only logged, under the id that is
 * answered.
 */
export function sendError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // The connection is closed, so that the rest of the body is not waited for.
  if (error instanceof BodyRefused && error.statusCode === 408) reply.header('connection', 'close')
  const told = toldOf(error, request.headers['content-type'])
  if (isDiskFull(error)) request.log.error(error)
  if (told) {
    if (told.retryAfter !== undefined) reply.header('retry-after', told.retryAfter)
    return reply.status(told.status).send(told.body)
  }
  request.log[isLeaving(error, reply) ? 'info' : 'error'](error)
  return reply.status(500).send({ error: 'Something went wrong here; the log has it under this id.', id: request.id })
}

/** Undefined: it is a fault of ours, which is only logged. `contentType` is the request's. */
export function toldOf(error: FastifyError | Error, contentType?: string): Told | undefined {
  if (error instanceof Invalid) {
    const tooLarge = error.problems.some((problem) => problem.type === 'value_error.too_large')
    const detail = error.problems.map(({ field, message, type }) => ({
      loc: ['body', 'input', ...(field ? [field] : [])],
      msg: message,
      type,
    }))
    return { status: tooLarge ? 413 : 422, body: { detail } }
  }
  if (error instanceof Full)
    return {
      status: error.of === 'storage' ? 507 : 429,
      body: { error: error.message },
      retryAfter: error.retryAfterSeconds,
    }
  if (isDiskFull(error))
    return { status: 507, body: { error: "This server's disk is full; try again later." }, retryAfter: 60 }
  if (error instanceof Gone) return { status: 503, body: { error: error.message, status: 'failed' } }
  if (error instanceof BodyRefused && error.statusCode === 503)
    return { status: 503, body: { error: error.message }, retryAfter: 5 }
  if (answersItself(error)) return { status: error.statusCode, body: error.answer }
  const misfit = misfitOf(error)
  if (misfit) return { status: misfit.status, body: { error: misfit.message } }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500
  return status < 500 ? { status, body: { error: clipped(messageOf(error, contentType)) } } : undefined
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

function messageOf(error: FastifyError | Error, contentType: string | undefined): string {
  if (!('code' in error) || error.code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return error.message
  return `expected content-type: application/json, or of a file its own; got ${contentType ?? 'none'}`
}

const answersItself = (error: Error): error is AnswersItself => 'answer' in error && 'statusCode' in error
