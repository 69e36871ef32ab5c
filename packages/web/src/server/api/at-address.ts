import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Context, type DemoParams, sees } from '../context.ts'
import { demoPath } from '../demos/present.ts'
import type { Owned } from '../store/demos.ts'
import { answersOtherSites } from './cross-origin.ts'

/** Finds the demo of an address once for each request. An earlier address of a demo redirects to its present one. */
export function atAddress(app: FastifyInstance, context: Context): void {
  app.decorateRequest('demo', undefined)
  app.decorateRequest('unlistedKey', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const { account, name } = request.params as Partial<DemoParams>
    // A browser follows no redirect where it asks whether it may send a request.
    if (account === undefined || name === undefined || request.method === 'OPTIONS') return done()
    request.unlistedKey = request.isForeign ? undefined : (request.query as { key?: unknown }).key
    request.demo = context.demos.knownAt(account, name)
    if (request.demo) return done()
    lookUp(context, { account, name }, request, reply).then((isAnswered) => isAnswered || done(), done)
  })
}

/** True: the answer is a redirect. */
async function lookUp(
  context: Context,
  { account, name }: DemoParams,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  request.demo = await context.demos.at(account, name)
  if (request.demo) return false
  const moved = await context.demos.formerlyAt(account, name)
  if (!moved || !sees(context, request, moved)) return false
  answersOtherSites(request, reply, moved)
  const read = request.method === 'GET' || request.method === 'HEAD'
  // The redirect is not cached, because another demo may get the address.
  reply.header('cache-control', 'no-store').redirect(movedUrl(request, moved), read ? 302 : 308)
  return true
}

/** The same route at the demo's present address. */
function movedUrl(request: FastifyRequest, demo: Owned): string {
  const prefix = '/-/api/demos'
  const base = request.url.startsWith(`${prefix}/`) ? prefix : ''
  const rest = request.url.slice(base.length).replace(/^\/[^/?]*\/[^/?]*/, '')
  return base + demoPath(demo) + rest
}
