import { type DemoPage, webApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Act } from '../accounts/audit.ts'
import { Refused } from '../accounts/who.ts'
import { type Context, controlledDemo, controlledHere, deployer, ownDemo, ownHere } from '../context.ts'
import { demoPath } from '../demos/present.ts'
import type { Owned } from '../store/demos.ts'
import { readDemoPage } from './demo-page.ts'
import { remarksOn } from './remarks.ts'

/** The routes for owners: make, deploy, start, stop, change and remove demos. */
export async function ownerRoutes(app: FastifyInstance, context: Context): Promise<void> {
  await app.register(runningRoutes, context)
  await app.register(changingRoutes, context)
}

/** What makes demos and decides whether they run. */
async function runningRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { daemon, deploys, elsewhere, changed, audit } = context
  const on = endpointsOn(app, webApi, remarksOn)

  on('GET /-/api/repositories', async ({ query: { forge, q }, request }) =>
    deploys.repositories(await deployer(context, request), forge, q),
  )
  on('POST /-/api/inspect', async ({ body, request }) => {
    const account = await deployer(context, request)
    return 'url' in body ? elsewhere.inspect(body.url) : deploys.inspect(account, body.link)
  })
  on('POST /-/api/demos', async ({ body, request, reply }) => {
    const account = await deployer(context, request)
    const act = { action: 'deployLink', object: 'url' in body ? body.url : body.link, after: body } as const
    const { demo, made } = await audit.record(request, act, () =>
      'url' in body ? elsewhere.create(account, body) : deploys.create(account, body),
    )
    changed.notify(demo.id)
    reply.status(made ? 201 : 200)
    return readDemoPage(context, demo, request)
  })

  on('POST /-/api/demos/:account/:name/deploy', async ({ request }) => {
    const own = ownHere(request)
    const account = await deployer(context, request)
    const act = { action: 'redeployDemo', object: demoPath(own), before: { commit: own.commit } } as const
    const demo = await audit.record(request, act, () => deploys.redeploy(account, own))
    return readDemoPage(context, demo, request)
  })
  on('POST /-/api/demos/:account/:name/stop', async ({ request }) =>
    acted(context, request, { action: 'stopDemo', demo: controlledHere(request) }, (demo) => daemon.stop(demo.id)),
  )
  on('POST /-/api/demos/:account/:name/start', async ({ request }) => {
    const own = ownHere(request)
    await deployer(context, request)
    return acted(context, request, { action: 'startDemo', demo: own }, (demo) => daemon.start(demo.id))
  })
  on('POST /-/api/demos/:account/:name/cancel', async ({ request }) =>
    acted(context, request, { action: 'cancelDeployment', demo: ownHere(request) }, async (demo) => {
      const newest = (await daemon.detail(demo.id))?.newest
      if (newest) await daemon.cancel(newest.id)
    }),
  )
}

/** What changes demos and removes them, whatever runs them. */
async function changingRoutes(app: FastifyInstance, context: Context): Promise<void> {
  const { daemon, demos, elsewhere, changed, audit } = context
  const on = endpointsOn(app, webApi, remarksOn)

  on('POST /-/api/demos/:account/:name/check', async ({ request }) => {
    const own = ownDemo(request)
    if (!own.url) throw new Refused(409, 'It runs here; there is nothing to check.')
    if (await elsewhere.check(own)) changed.notify(own.id)
    return readDemoPage(context, (await demos.byId(own.id)) ?? own, request)
  })
  on('PATCH /-/api/demos/:account/:name', async ({ body, request }) => {
    const { name, public: isPublic, cross_origin: crossOrigin } = body
    const own = controlledDemo(request)
    const isMore = name !== undefined || isPublic === true || crossOrigin !== undefined
    if (own.account !== request.who.account?.id && isMore) throw onlyHides()
    if (isPublic === true && !own.public) await deployer(context, request)
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(isPublic === undefined ? {} : { public: isPublic }),
      ...(crossOrigin === undefined ? {} : { crossOrigin }),
    }
    const before = { name: own.name, public: own.public, crossOrigin: own.crossOrigin }
    const act = { action: 'changeDemo', object: demoPath(own), before, after: { ...before, ...change } } as const
    await audit.record(request, act, async (write) => {
      if (!(await demos.edit(own, change, write))) throw new Refused(409, `You have a demo called ${name} already.`)
    })
    changed.notify(own.id)
    return readDemoPage(context, (await demos.byId(own.id)) ?? own, request)
  })
  on('POST /-/api/demos/:account/:name/key', async ({ request }) => {
    const own = ownDemo(request)
    const act = { action: 'renewKey', object: demoPath(own) } as const
    await audit.record(request, act, (write) => demos.renewKey(own.id, write))
    changed.notify(own.id)
    return readDemoPage(context, (await demos.byId(own.id)) ?? own, request)
  })
  on('DELETE /-/api/demos/:account/:name', async ({ request }) => {
    const own = controlledDemo(request)
    const before = { public: own.public, ...(own.url ? { url: own.url } : { link: own.link }) }
    await audit.record(request, { action: 'removeDemo', object: demoPath(own), before }, async (write) => {
      if (!own.url) await daemon.remove(own.id)
      await demos.remove(own.id, write)
    })
    changed.notify(own.id)
    return {}
  })
}

const onlyHides = (): Refused =>
  new Refused(403, 'Only the owner of a demo changes it otherwise; the owner of this server may make it unlisted.')

/** Does something to a demo that runs here, and answers with its page. */
async function acted(
  context: Context,
  request: FastifyRequest,
  { action, demo }: { readonly action: Act['action']; readonly demo: Owned },
  act: (demo: Owned) => Promise<void>,
): Promise<DemoPage> {
  await context.audit.record(request, { action, object: demoPath(demo), before: { state: demo.state } }, () =>
    act(demo),
  )
  return readDemoPage(context, demo, request)
}
