import { deployTrigger } from '@origami/protocol/control'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { demoById } from '../store/demos.ts'
import { wasRemoved } from '../store/events.ts'
import { demoParam, deploymentParam, Missing, noDemo } from './params.ts'
import type { ApiParts } from './parts.ts'

const redeployBody = z.strictObject({ user_access_token: z.string().min(1).max(1000).nullable() })

/** What changes demos. Everything but a trigger is idempotent. */
export async function controlRoutes(app: FastifyInstance, { control, db }: ApiParts): Promise<void> {
  app.post('/deploy_trigger', async (request, reply) => {
    const { user_access_token: token, user_id, remote_repo_link } = deployTrigger.parse(request.body)
    const { demo, deployment } = await control.trigger(user_id, remote_repo_link, token)
    return reply.status(202).send({ demo_id: demo, deployment_id: deployment })
  })

  app.post('/demos/:demo/redeploy', async (request, reply) => {
    const { user_access_token: token } = redeployBody.parse(request.body)
    const demo = await demoById(db, demoParam(request))
    if (!demo) throw noDemo()
    const { deployment } = await control.trigger(demo.user_id, demo.repolink, token)
    return reply.status(202).send({ demo_id: demo.id, deployment_id: deployment })
  })

  app.post('/demos/:demo/stop', async (request) => done(await control.stop(demoParam(request))))
  app.post('/demos/:demo/start', async (request) => done(await control.start(demoParam(request))))
  app.delete('/demos/:demo', async (request) => {
    const demo = demoParam(request)
    if (await control.remove(demo)) return { removed: true }
    if (!(await wasRemoved(db, demo))) throw noDemo()
    return { removed: false }
  })
  app.post('/deployments/:id/cancel', async (request) =>
    done(await control.cancel(deploymentParam(request)), 'There is no such deployment under way.'),
  )
}

function done(found: boolean, otherwise?: string): object {
  if (found) return {}
  throw otherwise ? new Missing(otherwise) : noDemo()
}
