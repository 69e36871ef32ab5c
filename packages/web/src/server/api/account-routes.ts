import { webApi } from '@origami/protocol/control'
import { prefersHtml } from '@origami/serving'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { ownerAccount, presentAccount } from '../accounts/accounts.ts'
import { Refused } from '../accounts/who.ts'
import type { Context } from '../context.ts'
import { ForgeError } from '../forges/forge.ts'
import { remarksOn } from './remarks.ts'

/** The routes for the caller's account: session, and sign-in at forges. */
export async function accountRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { limits, forges, db, daemon, followed, deployers, sessions, signIn, ownerLinks, audit } = context

  const on = endpointsOn(app, webApi, remarksOn)
  on('GET /-/api/session', async ({ request }) => {
    const { account, csrf } = request.who
    const answers = followed.connected || (await daemon.answers())
    return {
      account: account ? presentAccount(account, await deployers.mayDeploy(account)) : null,
      csrf: csrf(),
      forges: forges.map(({ entry, signIn, repositories }) => ({
        host: entry.host,
        sign_in: signIn !== undefined,
        repositories: repositories !== undefined,
      })),
      daemon: answers,
    }
  })

  const oftenEnough = { rateLimit: { max: () => limits.signInsPerMinute, timeWindow: '1 minute' } }
  on('POST /-/api/session/link', { config: oftenEnough }, async ({ body: { secret }, request, reply }) => {
    if (!(await ownerLinks.use(secret)))
      throw new Refused(
        401,
        'That link was used, is older than an hour, or is not of this server; origami owner-link makes a new one on its host.',
      )
    const account = await ownerAccount(db, new Date().toISOString())
    await audit.record(request, { action: 'useOwnerLink', account }, (write) =>
      sessions.signIn(request, reply, account, write),
    )
    return {}
  })
  on('DELETE /-/api/session', async ({ request, reply }) => {
    const { account } = request.who
    if (account) await audit.record(request, { action: 'signOut' }, (write) => sessions.signOut(request, reply, write))
    else await sessions.signOut(request, reply)
    return {}
  })

  app.get<{ Params: { host: string }; Querystring: Record<string, unknown> }>(
    '/-/sign-in/:host',
    async (request, reply) => {
      const { return: returnTo = '/', scope } = eachOnce(request.query)
      return reply.redirect(
        await signIn.start(
          request.params.host,
          browserVisitor(request.who.visitor, request.cookies),
          scope === 'repo' ? 'repo' : '',
          returnTo,
        ),
      )
    },
  )
  app.get<{ Params: { host: string }; Querystring: Record<string, unknown> }>(
    '/-/callback/:host',
    async (request, reply) => {
      const visitor = browserVisitor(request.who.visitor, request.cookies)
      try {
        const { account, returnTo } = await signIn.finish(request.params.host, visitor, eachOnce(request.query))
        const act = { action: 'signIn', object: request.params.host, account } as const
        await audit.record(request, act, (write) => sessions.signIn(request, reply, account, write))
        return reply.redirect(returnTo)
      } catch (error) {
        if (!prefersHtml(request) || !(error instanceof Refused || error instanceof ForgeError)) throw error
        request.log.warn(error)
        return reply.redirect(`/-/sign-in?failed=${error instanceof ForgeError ? 'unreachable' : 'refused'}`)
      }
    },
  )
}

/** The parameters of a query. A name that occurs twice is left out, since neither value can be trusted. */
const eachOnce = (query: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(query).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))

/** Identifies the browser that a sign-in is bound to, by its own cookie. The account may change meanwhile. */
const browserVisitor = (visitor: string, cookies: Record<string, string | undefined>): string =>
  cookies.origami_visitor?.split('.')[0] ?? visitor
