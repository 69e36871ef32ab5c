import { hostOf, isFromOtherSite } from '@origami/serving'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refused } from '../accounts/who.ts'
import { type Context, type DemoParams, sees } from '../context.ts'
import type { Owned } from '../store/demos.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether pages of other sites may use the route, as the demo at its address says. */
    readonly crossOrigin?: boolean
  }
}

/** What the Fetch standard calls the CORS protocol: https://fetch.spec.whatwg.org/#http-cors-protocol */
const opening = { 'access-control-allow-origin': '*' }
const opened = {
  ...opening,
  'access-control-expose-headers': '*',
  'cross-origin-resource-policy': 'cross-origin',
}
const preflight = {
  ...opening,
  'access-control-allow-methods': 'GET, HEAD, POST, PUT',
  'access-control-allow-headers': 'authorization, content-type, prefer, last-event-id',
  'access-control-max-age': '600',
}

const refused = (): Refused => new Refused(403, 'Pages of other sites cannot run demos here; a program can.')

/** Notes which requests a page of another site sends to a demo, and takes their cookies away. */
export function withoutForeignCookies(app: FastifyInstance, { demos, publicUrl }: Context): void {
  app.decorateRequest('isForeign', false)
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.routeOptions.config.crossOrigin) return done()
    request.isForeign = isFromOtherSite(request, [request.host, hostOf(publicUrl())])
    if (request.isForeign) request.cookies = {}
    // Such a page can read a refusal that comes before the demo is looked up, too.
    const { account, name } = request.params as DemoParams
    const demo = demos.knownAt(account, name)
    if (demo?.public) answersOtherSites(request, reply, demo)
    done()
  })
}

/** Lets pages of other sites use the demos that are open to them, and keeps them from changing anything at others. */
export function guardFromOtherSites(app: FastifyInstance, context: Context): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { demo, who, method } = request
    if (!request.routeOptions.config.crossOrigin || method === 'OPTIONS') return done()
    if (demo && (demo.public || (who.byToken && sees(context, request, demo)))) answersOtherSites(request, reply, demo)
    const changes = method !== 'GET' && method !== 'HEAD'
    const mayChange = who.byToken || (demo?.public && demo.crossOrigin)
    done(request.isForeign && changes && !mayChange ? refused() : undefined)
  })
}

/** Lets the browser show the answer to a page of another site, if the demo is open to them. */
export function answersOtherSites(request: FastifyRequest, reply: FastifyReply, demo: Owned): void {
  if (demo.crossOrigin && request.routeOptions.config.crossOrigin) reply.headers(opened)
}

/**
 * Answers a browser that asks whether a page may send a request to a demo. It asks without the token that may come
 * with the request, so that the answer for a private demo is the one for an address without a demo.
 */
export function preflightRoutes(app: FastifyInstance, { demos }: Context): void {
  for (const url of ['/', '/*'])
    app.options<{ Params: DemoParams }>(
      url,
      { schema: { hide: true }, prefixTrailingSlash: 'no-slash' },
      async (request, reply) => {
        const { account, name } = request.params
        if (account === '-') return reply.callNotFound()
        const demo = (await demos.at(account, name)) ?? (await demos.formerlyAt(account, name))
        if (demo?.public && !demo.crossOrigin) throw refused()
        return reply.status(204).headers(preflight).send()
      },
    )
}
