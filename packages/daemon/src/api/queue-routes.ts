import { daemonApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { demoById } from '../store/demos.ts'
import { cancelWaiting } from '../store/predictions.ts'
import { noDemo } from './params.ts'
import type { ApiParts } from './parts.ts'
import { remarksOn } from './remarks.ts'

const entriesAtMost = 500

/**
 * Shows a demo's owner its queue and empties it. A single prediction is canceled by `POST …/predictions/{id}/cancel`.
 */
export async function queueRoutes(app: FastifyInstance, { db, commits, queue, changed, now }: ApiParts): Promise<void> {
  const on = endpointsOn(app, daemonApi, remarksOn)
  on('GET /demos/:demo/queue', async ({ params: { demo } }) => {
    if (!(await demoById(db, demo))) throw noDemo()
    const { running, waiting } = await queue.openOf(demo)
    const rows = [...running, ...waiting].slice(0, entriesAtMost)
    const entries = rows.map((row, index) => ({
      id: row.id,
      visitor: row.visitor,
      status: row.running ? ('processing' as const) : ('starting' as const),
      position: row.running ? null : index - running.length + 1,
      created_at: row.createdAt,
      started_at: row.startedAt,
    }))
    return { entries, running: running.length, waiting: waiting.length }
  })

  on('DELETE /demos/:demo/queue', async ({ params: { demo } }) => {
    if (!(await demoById(db, demo))) throw noDemo()
    const { ended, asked } = await commits.inOrder((trx) => cancelWaiting(trx, demo, now()))
    for (const arrival of ended) changed.predictionChanged(demo, arrival, 'ended')
    for (const arrival of asked) changed.predictionChanged(demo, arrival, { cancelRequested: true })
    return { canceled: ended.length + asked.length }
  })
}
