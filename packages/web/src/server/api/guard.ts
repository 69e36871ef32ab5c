import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Refused, type Sessions, type Who } from '../accounts/who.ts'
import { isEqual } from '../secrets.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False for routes that programs call without a cookie, so that a foreign page cannot cause anything by them. */
    readonly byCookie?: boolean
  }
}

/** Identifies the caller of each request, and refuses changes that a foreign page may have caused. */
export function guard(app: FastifyInstance, sessions: Sessions): void {
  app.decorateRequest('who')
  app.addHook('onRequest', (request, reply, done) => {
    const take = (who: Who): void => {
      request.who = who
      requireOwnPage(request)
    }
    const who = sessions.who(request, reply)
    // Most callers are known at once; a promise for each would cost more than the rest.
    if (who instanceof Promise) return void who.then(take).then(() => done(), done)
    take(who)
    done()
  })
}

/** Throws Refused for a change through our own API that a foreign page may have caused. */
function requireOwnPage(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD' || request.who.byToken) return
  if (request.routeOptions.config.byCookie === false) return
  if (request.url.startsWith('/-/')) requireCsrf(request)
}

/** Requires the session's CSRF token for our own API. */
function requireCsrf(request: FastifyRequest): void {
  const sent = request.headers['x-csrf-token']
  if (typeof sent === 'string' && isEqual(request.who.csrf(), sent)) return
  throw new Refused(
    403,
    'The x-csrf-token is missing or old; GET /-/api/session tells it. Programs send a token in Authorization instead.',
  )
}
