import { daemonApi, LinkError } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { demoById } from '../store/demos.ts'
import { wasRemoved } from '../store/events.ts'
import { Missing, noDemo, Unfit } from './params.ts'
import type { ApiParts } from './parts.ts'
import { remarksOn } from './remarks.ts'

/** The routes that change demos. All of them but the deploy triggers are idempotent. */
export async function controlRoutes(app: FastifyInstance, { lifecycle, db }: ApiParts): Promise<void> {
  const on = endpointsOn(app, daemonApi, remarksOn)
  on('POST /deploy_trigger', async ({ body: { user_access_token: token, user_id, remote_repo_link } }) => {
    const { demo, deployment } = await lifecycle.trigger(user_id, remote_repo_link, token).catch(unfitLink)
    return { demo_id: demo, deployment_id: deployment }
  })

  on('POST /demos/:demo/redeploy', async ({ params, body: { user_access_token: token } }) => {
    const demo = await demoById(db, params.demo)
    if (!demo) throw noDemo()
    const { deployment } = await lifecycle.trigger(demo.user_id, demo.repolink, token).catch(unfitLink)
    return { demo_id: demo.id, deployment_id: deployment }
  })

  on('POST /demos/:demo/stop', async ({ params }) => done(await lifecycle.stop(params.demo)))
  on('POST /demos/:demo/start', async ({ params }) => done(await lifecycle.start(params.demo)))
  on('DELETE /demos/:demo', async ({ params: { demo } }) => {
    if (await lifecycle.remove(demo)) return { removed: true }
    if (!(await wasRemoved(db, demo))) throw noDemo()
    return { removed: false }
  })
  on('POST /deployments/:id/cancel', async ({ params: { id } }) =>
    done(await lifecycle.cancel(id), 'There is no such deployment under way.'),
  )
}

function done(found: boolean, otherwise?: string): Record<string, never> {
  if (found) return {}
  throw otherwise ? new Missing(otherwise) : noDemo()
}

function unfitLink(error: unknown): never {
  throw error instanceof LinkError ? new Unfit(`remote_repo_link: ${error.message}`) : error
}
