import { webApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { type Context, operator } from '../context.ts'
import { auditPage } from '../store/audit.ts'
import { remarksOn } from './remarks.ts'

/** The audit log, for the owner of this server. */
export async function auditRoute(app: FastifyInstance, { db }: Context): Promise<void> {
  endpointsOn(
    app,
    webApi,
    remarksOn,
  )('GET /-/api/audit', async ({ query: { before }, request }) => {
    operator(request)
    return auditPage(db, before)
  })
}
