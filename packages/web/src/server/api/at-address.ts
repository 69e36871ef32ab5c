import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Context, type DemoParams, sees } from '../context.ts'
import { demoPath } from '../demos/present.ts'
import type { Owned } from '../store/demos.ts'

/** Finds the demo of an address, once a request; an address that a demo had before leads to where it is now. */
export function atAddress(app: FastifyInstance, context: Context): void {
  app.decorateRequest('demo', undefined)
  app.decorateRequest('unlistedKey', undefined)
  app.addHook('onRequest', async (request, reply) => {
    const { account, name } = request.params as Partial<DemoParams>
    if (account === undefined || name === undefined) return undefined
    request.unlistedKey = (request.query as { key?: unknown }).key
    request.demo = await context.demos.at(account, name)
    if (request.demo) return undefined
    const moved = await context.demos.formerlyAt(account, name)
    if (!moved || !sees(context, request, moved)) return undefined
    const read = request.method === 'GET' || request.method === 'HEAD'
    // Not for ever: the address is free for another demo.
    return reply.header('cache-control', 'no-store').redirect(movedUrl(request, moved), read ? 302 : 308)
  })
}

/** The same route under another demo. */
function movedUrl(request: FastifyRequest, demo: Owned): string {
  const prefix = '/-/api/demos'
  const base = request.url.startsWith(`${prefix}/`) ? prefix : ''
  const rest = request.url.slice(base.length).replace(/^\/[^/?]*\/[^/?]*/, '')
  return base + demoPath(demo) + rest
}
