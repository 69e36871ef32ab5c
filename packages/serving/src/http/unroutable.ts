import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { clipped } from './misfit.ts'

/** The longest part of a path between two slashes, decoded: longer than any of our names. */
const maxParamLength = 500

/** Options of all our servers: requests that match no route are refused in the same form as others. */
export const unroutable = {
  routerOptions: { maxParamLength },
  frameworkErrors: (
    error: { readonly code: string; readonly statusCode?: number },
    request: FastifyRequest,
    reply: FastifyReply,
  ) => reply.status(error.statusCode ?? 400).send({ error: messageOf(error.code, request.url) }),
  clientErrorHandler: refuse,
} as const

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
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'connection: close',
    'content-type: application/json; charset=utf-8',
  ]
  if (socket.writable)
    socket.write(`${[...head, `content-length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`)
  socket.destroy(cause)
}
