import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { AnswersItself } from '@origami/serving'
import type { FastifyInstance } from 'fastify'
import { addressKey } from '../accounts/address.ts'
import { Refused } from '../accounts/who.ts'
import type { WebLimits } from '../config.ts'

type Limits = Pick<
  WebLimits,
  'openRequestsPerAddress' | 'openRequests' | 'connectionsPerAddress' | 'connections' | 'headerMs' | 'bodyMs' | 'fileMs'
>

/** How often Node looks for requests that are too slow. */
export const slowRequestsRound = { connectionsCheckingInterval: 1_000 } as const
/** A route that reads a body refuses a slow one in its own words, before the connection is cut. */
const graceMs = 5_000

/** Closes the connections of who sends a request too slowly, also where no route reads it. */
export function limitSlowRequests(server: Server, { headerMs, bodyMs, fileMs }: Limits): void {
  server.headersTimeout = headerMs
  server.requestTimeout = Math.max(bodyMs, fileMs) + headerMs + graceMs
}

/** Refuses connections above the limits. Those of a proxy are many people's, and count only among all. */
export function limitConnections(server: Server, limits: Limits, isProxy: (address: string) => boolean): void {
  const open = new Counts()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const most = isProxy(address) ? limits.connections : limits.connectionsPerAddress
    if (open.all >= limits.connections) return refuse(socket, '503 Service Unavailable', limits.connections)
    if (open.of(addressKey(address)) >= most) return refuse(socket, '429 Too Many Requests', most)
    socket.once('close', open.add(addressKey(address)))
  })
}

/** Refuses requests above the limits of those under way. A stream of events is under way for as long as it is read. */
export function limitOpenRequests(app: FastifyInstance, limits: Limits): void {
  const open = new Counts()
  app.addHook('onRequest', (request, reply, done) => {
    const key = addressKey(request.ip)
    const { openRequests, openRequestsPerAddress } = limits
    const isMany = open.of(key) >= openRequestsPerAddress
    if (isMany || open.all >= openRequests) {
      reply.header('retry-after', retryAfterSeconds)
      return done(isMany ? tooManyOf(openRequestsPerAddress) : tooMany())
    }
    reply.raw.once('close', open.add(key))
    done()
  })
}

const retryAfterSeconds = 5
const tooManyOf = (most: number): Refused =>
  new Refused(429, `expected at most ${most} requests under way from one address, got more; try again once one ended`)

function tooMany(): AnswersItself {
  const message = 'Too many requests are under way here; try again in some seconds.'
  return Object.assign(new Error(message), { statusCode: 503, answer: { error: message } })
}

function refuse(socket: Socket, status: string, most: number): void {
  const body = JSON.stringify({ error: `expected at most ${most} connections at a time, got more` })
  const head = ['connection: close', 'content-type: application/json', `retry-after: ${retryAfterSeconds}`]
  socket.write([`HTTP/1.1 ${status}`, ...head, `content-length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'))
  socket.destroySoon()
}

/** Counts what is open, by key and in all. */
class Counts {
  all = 0
  private readonly byKey = new Map<string, number>()

  of(key: string): number {
    return this.byKey.get(key) ?? 0
  }

  /** Counts one more. The function that is returned ends it. */
  add(key: string): () => void {
    this.all += 1
    this.byKey.set(key, this.of(key) + 1)
    return () => {
      this.all -= 1
      const left = this.of(key) - 1
      if (left > 0) this.byKey.set(key, left)
      else this.byKey.delete(key)
    }
  }
}
