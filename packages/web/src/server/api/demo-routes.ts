import { Readable } from 'node:stream'
import { type ServerEvent, sendEvents } from '@origami/host/send-events'
import { type DemoPage, webApi } from '@origami/protocol/control'
import { Gone, isPredictionId } from '@origami/protocol/demo'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { presentAccount } from '../accounts/accounts.ts'
import { Refused } from '../accounts/who.ts'
import { type Context, deployer, ownDemo, ownHere, sees, signedIn, visibleDemo } from '../context.ts'
import { presentCard, presentPage } from '../demos/present.ts'
import { accountByHandle } from '../store/accounts.ts'
import type { Owned } from '../store/demos.ts'
import { remarksOn } from './remarks.ts'

/** Demos: to see, and for their owner to make, change, start, stop and remove. */
export async function demoRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { db, limits, daemon, deployers, demos, details, deploys, elsewhere, changed } = context

  const on = endpointsOn(app, webApi, remarksOn)
  on('GET /-/api/demos', async ({ query: { q, sort } }) => ({ demos: (await demos.public(q, sort)).map(presentCard) }))
  on('GET /-/api/accounts/:account', async ({ params, request }) => {
    const account = await accountByHandle(db, params.account)
    if (!account) throw new Refused(404, 'There is no such account.')
    const all = await demos.ofAccount(account, { onlyPublic: account.id !== request.who.account?.id })
    return { account: presentAccount(account, await deployers.mayDeploy(account)), demos: all.map(presentCard) }
  })
  on('GET /-/api/mine', async ({ request }) => ({
    demos: (await demos.ofAccount(signedIn(request), { onlyPublic: false })).map(presentCard),
  }))

  on('GET /-/api/repositories', async ({ query: { forge, q }, request }) =>
    deploys.repositories(await deployer(context, request), forge, q),
  )
  on('POST /-/api/inspect', async ({ body, request }) => {
    const account = await deployer(context, request)
    return 'url' in body ? elsewhere.inspect(body.url) : deploys.inspect(account, body.link)
  })
  on('POST /-/api/demos', async ({ body, request, reply }) => {
    const account = await deployer(context, request)
    const { demo, made } = 'url' in body ? await elsewhere.create(account, body) : await deploys.create(account, body)
    changed.notify(demo.id)
    reply.status(made ? 201 : 200)
    return page(demo, request)
  })

  on('GET /-/api/demos/:account/:name', async ({ request, reply }) => page(visibleDemo(context, request, reply), request))
  on('GET /-/api/demos/:account/:name/events', async ({ request, reply }) => {
    const { id } = visibleDemo(context, request)
    await sendEvents(reply, (signal) => pages(id, request, signal), undefined, limits.slowReaderMs)
    return undefined
  })
  on('GET /-/api/demos/:account/:name/results', async ({ query, request }) => {
    const { id, url } = visibleDemo(context, request)
    // Who is known by an address alone shares it with others: theirs are not told.
    const nobody = url !== null || request.who.visitor.startsWith('ip-')
    return nobody ? { predictions: [] } : daemon.results(id, request.who.visitor, query.before)
  })
  on('DELETE /-/api/demos/:account/:name/results/:prediction_id', async ({ params, request }) => {
    const { id } = visibleDemo(context, request)
    if (request.who.visitor.startsWith('ip-')) throw new Refused(404, 'There is no such result of yours.')
    await daemon.forgetResult(id, params.prediction_id, request.who.visitor)
    return {}
  })

  on('POST /-/api/demos/:account/:name/deploy', async ({ request }) => {
    const own = ownHere(request)
    return page(await deploys.again(await deployer(context, request), own), request)
  })
  on('POST /-/api/demos/:account/:name/stop', async ({ request }) => acted(request, (demo) => daemon.stop(demo.id)))
  on('POST /-/api/demos/:account/:name/start', async ({ request }) => acted(request, (demo) => daemon.start(demo.id)))
  on('POST /-/api/demos/:account/:name/cancel', async ({ request }) =>
    acted(request, async (demo) => {
      const newest = (await daemon.detail(demo.id))?.newest
      if (newest) await daemon.cancel(newest.id)
    }),
  )
  on('POST /-/api/demos/:account/:name/check', async ({ request }) => {
    const own = ownDemo(request)
    if (!own.url) throw new Refused(409, 'It runs here; there is nothing to check.')
    if (await elsewhere.check(own)) changed.notify(own.id)
    return page((await demos.byId(own.id)) ?? own, request)
  })
  on('PATCH /-/api/demos/:account/:name', async ({ body: { name, public: isPublic }, request }) => {
    const own = ownDemo(request)
    if (name !== undefined && name !== own.name && !(await demos.rename(own, name)))
      throw new Refused(409, `You have a demo called ${name} already.`)
    if (isPublic !== undefined) await demos.change(own.id, { public: isPublic })
    changed.notify(own.id)
    return page((await demos.byId(own.id)) ?? own, request)
  })
  on('DELETE /-/api/demos/:account/:name', async ({ request }) => {
    const own = ownDemo(request)
    if (!own.url) await daemon.remove(own.id)
    await demos.remove(own.id)
    changed.notify(own.id)
    return {}
  })
  on('GET /-/api/demos/:account/:name/queue', async ({ request }) => daemon.queue(ownHere(request).id))
  on('DELETE /-/api/demos/:account/:name/queue', async ({ request }) => ({
    canceled: await daemon.emptyQueue(ownHere(request).id),
  }))
  on('POST /-/api/demos/:account/:name/queue/:prediction_id/cancel', async ({ params: { prediction_id: id }, request }) => {
    const own = daemon.predictor(ownHere(request).id, undefined)
    const prediction = isPredictionId(id) ? await own.find(id) : undefined
    if (!(await prediction?.cancel())) throw new Refused(404, 'There is no such prediction that waits or runs.')
    return {}
  })
  on('GET /-/api/demos/:account/:name/logs', async ({ query: { offset, follow }, request, reply }) => {
    const own = ownHere(request)
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const { body, size } = await daemon.logs(own.id, offset, follow === '1', gone.signal)
    reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'origami-log-size': size })
    return reply.send(Readable.from(quietly(body, gone.signal), { objectMode: false }))
  })

  async function acted(request: FastifyRequest, act: (demo: Owned) => Promise<void>): Promise<DemoPage> {
    const own = ownHere(request)
    await act(own)
    return page(own, request)
  }

  /** With what the daemon says now, or to visitors a few seconds ago; while it is away, with what it last said. */
  async function page(demo: Owned, request: FastifyRequest): Promise<DemoPage> {
    const mine = demo.account === request.who.account?.id
    if (demo.url) return presentPage(demo, mine, undefined)
    // Before the detail, so that a page never says of a deployment what its demo's state does not know yet.
    const deployments = mine ? await daemon.deployments(demo.id).catch(unlessGone) : []
    const detail = await (mine ? details.ask(demo.id) : details.of(demo.id)).catch(unlessGone)
    return presentPage(demo, mine, detail && { ...detail, deployments: deployments ?? [] })
  }

  /** The page now and after each change of this very demo, until it is not there to be seen any more. */
  async function* pages(id: string, request: FastifyRequest, signal: AbortSignal): AsyncIterable<ServerEvent> {
    let told = ''
    while (!signal.aborted) {
      const change = changed.next(id, signal)
      const demo = await demos.byId(id)
      if (!demo || !sees(context, request, demo)) return
      const now = await page(demo, request)
      if (JSON.stringify(now) !== told) yield { event: 'demo', data: now }
      told = JSON.stringify(now)
      await change
    }
  }
}

/** While the daemon is away, there is what is stored. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof Gone)) throw error
}

async function* quietly(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
