import { sendEvents } from '@origami/host/send-events'
import { webApi } from '@origami/protocol/control'
import { isNameless } from '@origami/protocol/demo'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { presentAccount } from '../accounts/accounts.ts'
import { Refused } from '../accounts/who.ts'
import { type Context, isOperator, signedIn, visibleDemo } from '../context.ts'
import { demoPath, presentCard } from '../demos/present.ts'
import { accountByHandle } from '../store/accounts.ts'
import { followDemoPage, readDemoPage } from './demo-page.ts'
import { remarksOn } from './remarks.ts'

/** The routes that show demos, and a visitor's results at one. */
export async function demoRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { db, limits, daemon, deployers, demos, audit } = context
  const on = endpointsOn(app, webApi, remarksOn)

  on('GET /-/api/demos', async ({ query: { q, sort } }) => ({ demos: (await demos.public(q, sort)).map(presentCard) }))
  on('GET /-/api/accounts/:account', async ({ params, request }) => {
    const account = await accountByHandle(db, params.account)
    if (!account) throw new Refused(404, 'There is no such account.')
    const isAll = account.id === request.who.account?.id || isOperator(request.who)
    const all = await demos.byAccount(account, { onlyPublic: !isAll })
    return { account: presentAccount(account, await deployers.mayDeploy(account)), demos: all.map(presentCard) }
  })
  on('GET /-/api/mine', async ({ request }) => ({
    demos: (await demos.byAccount(signedIn(request), { onlyPublic: false })).map(presentCard),
  }))

  on('GET /-/api/demos/:account/:name', async ({ request, reply }) =>
    readDemoPage(context, visibleDemo(context, request, reply), request),
  )
  on('GET /-/api/demos/:account/:name/events', async ({ request, reply }) => {
    const { id } = visibleDemo(context, request)
    await sendEvents(reply, (signal) => followDemoPage(context, id, request, signal), undefined, limits.slowReaderMs)
    return undefined
  })
  on('GET /-/api/demos/:account/:name/results', async ({ query, request }) => {
    const { id, url } = visibleDemo(context, request)
    // Callers who are known only by an address share it with others, so they see no results.
    const nobody = url !== null || isNameless(request.who.visitor)
    return nobody ? { predictions: [] } : daemon.results(id, request.who.visitor, query.before)
  })
  on('DELETE /-/api/demos/:account/:name/results/:prediction_id', async ({ params, request }) => {
    const demo = visibleDemo(context, request)
    if (isNameless(request.who.visitor)) throw new Refused(404, 'There is no such result of yours.')
    const act = { action: 'deleteResult', object: `${demoPath(demo)}/predictions/${params.prediction_id}` } as const
    await audit.record(request, act, () => daemon.forgetResult(demo.id, params.prediction_id, request.who.visitor))
    return {}
  })
}
