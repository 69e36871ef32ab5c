import { addressHeader, visitorHeader } from '@origami/protocol/control'
import { type DemoId, isDemoId, isVisitorId, type VisitorId } from '@origami/protocol/demo'
import type { FastifyRequest } from 'fastify'

/** The requested thing does not exist. Answered with HTTP 404. */
export class Missing extends Error {
  override readonly name = 'Missing'
  readonly statusCode = 404
}

/** The request does not fit its schema. Answered with HTTP 422. */
export class Unfit extends Error {
  override readonly name = 'Unfit'
  readonly statusCode = 422
}

export const noDemo = (): Missing => new Missing('There is no such demo.')

/** Reads `:demo` from the address of a demo's predictions. Throws Missing when it cannot be a demo's id. */
export function demoParam({ params }: FastifyRequest): DemoId {
  return demoNamed((params as { demo?: string }).demo)
}

/** Throws Missing when this cannot be a demo's id. */
export function demoNamed(id = ''): DemoId {
  if (!isDemoId(id)) throw noDemo()
  return id
}

/** The visitor on whose behalf the web server calls. Undefined when it acts for the demo's owner. Throws Unfit. */
export const callerVisitor = ({ headers }: FastifyRequest): VisitorId | undefined => named(headers, visitorHeader)

/** The network address of a caller who is not signed in, as the web server reports it. Throws Unfit. */
export const callerAddress = ({ headers }: FastifyRequest): string | undefined => named(headers, addressHeader)

const named = (headers: FastifyRequest['headers'], header: string): VisitorId | undefined =>
  whose(header, headers[header])

/** Checks who is said to call: a visitor, or an address. `key`: where it is said. Throws Unfit. */
export function whose(key: string, name: unknown): VisitorId | undefined {
  if (name === undefined || name === '') return undefined
  if (typeof name === 'string' && isVisitorId(name)) return name
  throw new Unfit(`${key}: expected whose, as 1 to 200 characters`)
}
