import { Readable } from 'node:stream'
import type { DemoId, VisitorId } from '@origami/protocol/demo'
import { type ServerEvent, sendEvents } from '@origami/serving'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { presentPrediction } from '../predictions/queued-prediction.ts'
import { forgetResult } from '../predictions/retention.ts'
import { allStats, demoById, detail } from '../store/demos.ts'
import { deploymentsOf, presentDeployment } from '../store/deployments.ts'
import { eventsAfter } from '../store/events.ts'
import { predictionsOfVisitor } from '../store/predictions.ts'
import type { ApiParts } from './parts.ts'

/** Stats, logs, events, and a visitor's own results. */
export async function statsRoutes(app: FastifyInstance, { db, files, logs, changed, engine, limits }: ApiParts): Promise<void> {
  app.get('/health', async () => ({ status: 'ok', engine: engine.name }))
  app.get('/stats', async () => ({ demos: await allStats(db) }))
  app.get<{ Params: { demo: DemoId } }>('/stats/:demo', async (request, reply) => {
    return (await detail(db, request.params.demo)) ?? missing(reply)
  })
  app.get<{ Params: { demo: DemoId } }>('/demos/:demo/deployments', async (request, reply) => {
    const { demo } = request.params
    if (!(await demoById(db, demo))) return missing(reply)
    return { deployments: (await deploymentsOf(db, demo, 50)).map(presentDeployment) }
  })

  app.get<{ Params: { demo: DemoId }; Querystring: { offset?: string; follow?: string } }>(
    '/logs/:demo',
    async (request, reply) => {
      const { demo } = request.params
      if (!(await demoById(db, demo))) return missing(reply)
      const { offset = '0', follow } = request.query
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      reply.headers({
        'content-type': 'text/plain; charset=utf-8',
        'origami-log-size': await logs.end(demo),
        'x-content-type-options': 'nosniff',
      })
      return reply.send(
        Readable.from(logs.read(demo, Number(offset) || 0, follow !== undefined && follow !== '0', gone.signal), {
          objectMode: false,
        }),
      )
    },
  )

  app.get<{ Querystring: { after?: string } }>('/events', async (request, reply) => {
    const after = Number(request.headers['last-event-id'] ?? request.query.after ?? 0) || 0
    await sendEvents(reply, (signal) => events(after, signal), limits.keepAliveMs)
  })

  app.get<{ Params: { demo: DemoId }; Querystring: { visitor?: VisitorId; limit?: string } }>(
    '/demos/:demo/results',
    async (request, reply) => {
      const { visitor, limit = '50' } = request.query
      if (!visitor) return reply.status(422).send({ error: 'visitor: expected whose results' })
      const rows = await predictionsOfVisitor(db, request.params.demo, visitor, Math.min(200, Number(limit) || 50))
      return { predictions: rows.map(presentPrediction) }
    },
  )

  app.delete<{ Params: { demo: DemoId; id: string }; Querystring: { visitor?: VisitorId } }>(
    '/demos/:demo/results/:id',
    async (request, reply) => {
      const { demo, id } = request.params
      const { visitor } = request.query
      const gone = visitor !== undefined && (await forgetResult(db, files, demo, visitor, id))
      return gone ? {} : reply.status(404).send({ error: 'There is no such result of yours that ended.' })
    },
  )

  async function* events(after: number, signal: AbortSignal): AsyncIterable<ServerEvent> {
    let seen = after
    while (!signal.aborted) {
      const change = changed.next(signal)
      const batch = await eventsAfter(db, seq(seen))
      for (const event of batch) yield { id: event.seq, data: event }
      seen = batch.at(-1)?.seq ?? seen
      if (batch.length === 0) await change
    }
  }
}

const seq = (value: number): number => Math.max(0, Math.floor(value))

const missing = (reply: FastifyReply): FastifyReply => reply.status(404).send({ error: 'There is no such demo.' })
