import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { clipped } from './misfit.ts'

/** The longest part of a path between two slashes, decoded: longer than any of our names. */
const maxParamLength = 500

const jsonType = 'application/json; charset=utf-8'

/** An option of Node's server: requests without a Host header are left to `refuseEarly`. */
export const hostless = { requireHostHeader: false } as const

/** Options of all our servers: requests that match no route are refused in the same form as others. */
export const unroutable = {
  http: hostless,
  routerOptions: { maxParamLength },
  frameworkErrors: (
    error: { readonly code: string; readonly statusCode?: number },
    request: FastifyRequest,
    reply: FastifyReply,
  ) => reply.status(error.statusCode ?? 400).send({ error: messageOf(error.code, request.url) }),
  clientErrorHandler: refuse,
} as const

/** Refuses, with an error in JSON, the requests that Node itself would refuse without a body. */
export function refuseEarly(app: FastifyInstance): void {
  app.server.on('checkExpectation', ({ headers }: IncomingMessage, response: ServerResponse) => {
    const error = `expected "expect: 100-continue" or none, got ${clipped(headers.expect ?? 'none')}`
    const body = JSON.stringify({ error })
    const length = Buffer.byteLength(body)
    response.writeHead(417, { 'content-type': jsonType, 'content-length': length, connection: 'close' }).end(body)
  })
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    if (raw.headers.host === undefined && raw.httpVersion === '1.1')
      return void reply.status(400).header('connection', 'close').send({ error: 'expected a Host header, got none' })
    if (hasEmptyName(request))
      return void reply.status(404).send({ error: 'There is nothing here: a name is missing.' })
    done()
  })
}

/** Whether a name in the path is empty, as in `/predictions//events`. Pages of people answer such paths themselves. */
function hasEmptyName({ method, url, params }: FastifyRequest): boolean {
  if (method === 'GET' && !url.startsWith('/-/')) return false
  const names = params as Readonly<Record<string, string>>
  for (const name in names) if (name !== '*' && names[name] === '') return true
  return false
}

function messageOf(code: string, url: string): string {
  if (code === 'FST_ERR_MAX_PARAM_LENGTH')
    return `expected at most ${maxParamLength} characters between two slashes of the path, got more`
  return `expected a path in which each % begins two hex digits, of UTF-8; got ${clipped(url)}`
}

/** The answers to requests that are no valid HTTP. */
const unreadable: Readonly<Record<string, readonly [status: number, error: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'expected the whole request sooner; send it again'],
  HPE_HEADER_OVERFLOW: [431, 'expected at most 16 KiB of path and headers together, got more'],
}
const noHttp = [400, 'expected a request of HTTP/1.1, got something else'] as const

function refuse(cause: NodeJS.ErrnoException, socket: Socket): void {
  if (cause.code === 'ECONNRESET' || socket.destroyed) return
  const [status, error] = unreadable[cause.code ?? ''] ?? noHttp
  const body = JSON.stringify({ error })
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'connection: close', `content-type: ${jsonType}`]
  if (socket.writable)
    socket.write(`${[...head, `content-length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`)
  socket.destroy(cause)
}
