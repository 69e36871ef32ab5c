import { deployTrigger } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { demoById } from '../store/demos.ts'
import { wasRemoved } from '../store/events.ts'
import type { ApiParts } from './parts.ts'

const redeployBody = z.strictObject({ user_access_token: z.string().min(1).max(1000).nullable() })
const nothing = { error: 'There is no such demo.' }

/** What changes demos. Everything but a trigger is idempotent. */
export async function controlRoutes(app: FastifyInstance, { control, db }: ApiParts): Promise<void> {
  app.post('/deploy_trigger', async (request, reply) => {
    const { user_access_token: token, user_id, remote_repo_link } = deployTrigger.parse(request.body)
    const { demo, deployment } = await control.trigger(user_id, remote_repo_link, token)
    return reply.status(202).send({ demo_id: demo, deployment_id: deployment })
  })

  app.post<{ Params: { demo: DemoId } }>('/demos/:demo/redeploy', async (request, reply) => {
    const { user_access_token: token } = redeployBody.parse(request.body)
    const demo = await demoById(db, request.params.demo)
    if (!demo) return reply.status(404).send(nothing)
    const { deployment } = await control.trigger(demo.user_id, demo.repolink, token)
    return reply.status(202).send({ demo_id: demo.id, deployment_id: deployment })
  })

  app.post<{ Params: { demo: DemoId } }>('/demos/:demo/stop', async (request, reply) =>
    (await control.stop(request.params.demo)) ? {} : reply.status(404).send(nothing),
  )
  app.post<{ Params: { demo: DemoId } }>('/demos/:demo/start', async (request, reply) =>
    (await control.start(request.params.demo)) ? {} : reply.status(404).send(nothing),
  )
  app.delete<{ Params: { demo: DemoId } }>('/demos/:demo', async (request, reply) => {
    const { demo } = request.params
    if (await control.remove(demo)) return { removed: true }
    return (await wasRemoved(db, demo)) ? { removed: false } : reply.status(404).send(nothing)
  })
  app.post<{ Params: { id: DeploymentId } }>('/deployments/:id/cancel', async (request, reply) =>
    (await control.cancel(request.params.id)) ? {} : reply.status(404).send({ error: 'There is no such deployment under way.' }),
  )
}
