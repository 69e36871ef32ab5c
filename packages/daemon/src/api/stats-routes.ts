import { Readable } from 'node:stream'
import { headersFirst } from '@origami/host/headers-first'
import { type ServerEvent, sendEvents } from '@origami/host/send-events'
import { daemonApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { presentPrediction } from '../predictions/queued-prediction.ts'
import { forgetResult } from '../predictions/retention.ts'
import { demoById } from '../store/demos.ts'
import { deploymentsOf } from '../store/deployments.ts'
import { eventsAfter } from '../store/events.ts'
import { predictionsOfVisitor } from '../store/results.ts'
import { allStats, detail } from './demo-stats.ts'
import { Missing, noDemo, Unfit } from './params.ts'
import type { ApiParts } from './parts.ts'
import { presentDeployment } from './present-deployment.ts'
import { remarksOn } from './remarks.ts'

/** The routes for stats, logs, events and a visitor's own results. */
export async function statsRoutes(
  app: FastifyInstance,
  { db, commits, files, logs, changed, engine, limits }: ApiParts,
): Promise<void> {
  const on = endpointsOn(app, daemonApi, remarksOn)
  on('GET /health', async () => ({
    status: 'ok' as const,
    engine: engine.name,
    unisolated: engine.unisolated ?? null,
  }))
  on('GET /stats', async () => {
    await commits.flush()
    return { demos: await allStats(db) }
  })
  on('GET /stats/:demo', async ({ params }) => {
    await commits.flush()
    const found = await detail(db, params.demo, engine)
    if (!found) throw noDemo()
    return found
  })
  on('GET /demos/:demo/deployments', async ({ params: { demo } }) => {
    if (!(await demoById(db, demo))) throw noDemo()
    return { deployments: (await deploymentsOf(db, demo, 50)).map(presentDeployment) }
  })

  on('GET /logs/:demo', async ({ params: { demo }, query: { offset, follow }, reply }) => {
    if (!(await demoById(db, demo))) throw noDemo()
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    reply.headers({
      'content-type': 'text/plain; charset=utf-8',
      'origami-log-size': await logs.end(demo),
      'x-content-type-options': 'nosniff',
    })
    const lines = logs.read(demo, offset, follow !== undefined && follow !== '0', gone.signal)
    return reply.send(Readable.from(headersFirst(reply, lines), { objectMode: false }))
  })

  on('GET /events', async ({ query, request, reply }) => {
    const seen = request.headers['last-event-id']
    const after = seen === undefined ? query.after : eventNumber(seen)
    await sendEvents(reply, (signal) => events(after, signal), limits.keepAliveMs, limits.slowReaderMs)
    return undefined
  })

  on('GET /demos/:demo/results', async ({ params: { demo }, query: { visitor, limit, before } }) => {
    const page = { before, limit: Math.max(1, Math.min(200, limit)), bytes: limits.resultsPageBytes }
    const { rows, next } = await predictionsOfVisitor(db, demo, visitor, page)
    return { predictions: rows.map(presentPrediction), next }
  })

  on('DELETE /demos/:demo/results/:id', async ({ params: { demo, id }, query: { visitor } }) => {
    if (!(await forgetResult(db, files, demo, visitor, id)))
      throw new Missing('There is no such result of yours that ended.')
    return {}
  })

  async function* events(after: number, signal: AbortSignal): AsyncIterable<ServerEvent> {
    let seen = after
    while (!signal.aborted) {
      const change = changed.untilAnyDemoChanges(signal)
      const batch = await eventsAfter(db, seen)
      for (const event of batch) yield { id: event.seq, data: event }
      seen = batch.at(-1)?.seq ?? seen
      if (batch.length === 0) await change
    }
  }
}

/** Reads the event number in `Last-Event-ID`. Throws Unfit. */
function eventNumber(header: unknown): number {
  const { success, data } = daemonApi['GET /events'].query.shape.after.safeParse(header)
  if (!success) throw new Unfit('last-event-id: expected a whole number from 0')
  return data
}
