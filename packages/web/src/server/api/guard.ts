import { type WebEndpoint, webApi } from '@origami/protocol/control'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { Refused, type Sessions, type Who } from '../accounts/who.ts'
import { isEqual } from '../secrets.ts'
import { demoEndpoints } from './document.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False for routes that programs call without a cookie, so that a foreign page cannot cause anything by them. */
    readonly byCookie?: boolean
    /** What a token needs to call it. */
    readonly scope?: WebEndpoint['scope']
  }
}

/** Identifies the caller of each request, and refuses changes that a foreign page may have caused. */
export function guard(app: FastifyInstance, sessions: Sessions): void {
  app.decorateRequest('who')
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, scope: scopeOf(route) }
  })
  app.addHook('onRequest', (request, reply, done) => {
    const take = (who: Who): void => {
      request.who = who
      requireOwnPage(request)
      requireScope(request)
    }
    const who = sessions.who(request, reply)
    // Most callers are known at once; a promise for each would cost more than the rest.
    if (who instanceof Promise) return void who.then(take).then(() => done(), done)
    take(who)
    done()
  })
}

/** The scope of a route's endpoint. Pages and what belongs to them take any token. */
function scopeOf({ method, url }: RouteOptions): WebEndpoint['scope'] {
  const [first = ''] = [method].flat()
  const key = `${first === 'HEAD' ? 'GET' : first} ${url}`
  const endpoints: Readonly<Record<string, WebEndpoint>> = { ...webApi, ...demoEndpoints }
  return endpoints[key]?.scope ?? 'any'
}

/** Throws Refused for a token that may not do this. */
function requireScope({ who: { scopes }, routeOptions }: FastifyRequest): void {
  const { scope = 'any' } = routeOptions.config
  if (!scopes || scope === 'any') return
  if (scope === 'session') throw new Refused(403, 'No token may do this: sign in in a browser.')
  if (scopes.includes(scope)) return
  throw new Refused(
    403,
    `Expected a token with the scope ${scope}, got one with ${scopes.join(' and ')}; make one on the account page.`,
  )
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
