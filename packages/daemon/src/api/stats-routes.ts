import { Readable } from 'node:stream'
import { type ServerEvent, sendEvents } from '@origami/host/send-events'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { presentPrediction } from '../predictions/queued-prediction.ts'
import { forgetResult } from '../predictions/retention.ts'
import { allStats, demoById, detail } from '../store/demos.ts'
import { deploymentsOf, presentDeployment } from '../store/deployments.ts'
import { eventsAfter } from '../store/events.ts'
import { predictionsOfVisitor } from '../store/predictions.ts'
import { demoParam, Missing, noDemo, predictionParam, visitorId, wholeNumber } from './params.ts'
import type { ApiParts } from './parts.ts'

const logQuery = z.object({ offset: wholeNumber(0), follow: z.string().optional() })
const eventsQuery = z.object({ after: wholeNumber(0) })
const resultsQuery = z.object({ visitor: visitorId, limit: wholeNumber(50) })
const ownerOfResult = z.object({ visitor: visitorId })

/** Stats, logs, events, and a visitor's own results. */
export async function statsRoutes(app: FastifyInstance, { db, files, logs, changed, engine, limits }: ApiParts): Promise<void> {
  app.get('/health', async () => ({ status: 'ok', engine: engine.name }))
  app.get('/stats', async () => ({ demos: await allStats(db) }))
  app.get('/stats/:demo', async (request) => {
    const found = await detail(db, demoParam(request))
    if (!found) throw noDemo()
    return found
  })
  app.get('/demos/:demo/deployments', async (request) => {
    const demo = demoParam(request)
    if (!(await demoById(db, demo))) throw noDemo()
    return { deployments: (await deploymentsOf(db, demo, 50)).map(presentDeployment) }
  })

  app.get('/logs/:demo', async (request, reply) => {
    const demo = demoParam(request)
    const { offset, follow } = logQuery.parse(request.query)
    if (!(await demoById(db, demo))) throw noDemo()
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    reply.headers({
      'content-type': 'text/plain; charset=utf-8',
      'origami-log-size': await logs.end(demo),
      'x-content-type-options': 'nosniff',
    })
    const lines = logs.read(demo, offset, follow !== undefined && follow !== '0', gone.signal)
    return reply.send(Readable.from(lines, { objectMode: false }))
  })

  app.get('/events', async (request, reply) => {
    const seen = request.headers['last-event-id']
    const { after } = eventsQuery.parse(seen === undefined ? request.query : { after: seen })
    await sendEvents(reply, (signal) => events(after, signal), limits.keepAliveMs, limits.slowReaderMs)
  })

  app.get('/demos/:demo/results', async (request) => {
    const demo = demoParam(request)
    const { visitor, limit } = resultsQuery.parse(request.query)
    const rows = await predictionsOfVisitor(db, demo, visitor, Math.min(200, limit))
    return { predictions: rows.map(presentPrediction) }
  })

  app.delete('/demos/:demo/results/:id', async (request) => {
    const [demo, id] = [demoParam(request), predictionParam(request)]
    const { visitor } = ownerOfResult.parse(request.query)
    if (!(await forgetResult(db, files, demo, visitor, id))) throw new Missing('There is no such result of yours that ended.')
    return {}
  })

  async function* events(after: number, signal: AbortSignal): AsyncIterable<ServerEvent> {
    let seen = after
    while (!signal.aborted) {
      const change = changed.next(signal)
      const batch = await eventsAfter(db, seen)
      for (const event of batch) yield { id: event.seq, data: event }
      seen = batch.at(-1)?.seq ?? seen
      if (batch.length === 0) await change
    }
  }
}
