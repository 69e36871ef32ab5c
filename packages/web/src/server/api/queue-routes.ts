import { Readable } from 'node:stream'
import { headersFirst } from '@origami/host/headers-first'
import { webApi } from '@origami/protocol/control'
import { isPredictionId } from '@origami/protocol/demo'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import { Refused } from '../accounts/who.ts'
import { type Context, ownHere } from '../context.ts'
import { demoPath } from '../demos/present.ts'
import { remarksOn } from './remarks.ts'

/** The routes for the owner of a demo that runs here: its queue, which they may empty, and its log. */
export async function queueRoutes(app: FastifyInstance, { daemon, audit }: Context): Promise<void> {
  const on = endpointsOn(app, webApi, remarksOn)

  on('GET /-/api/demos/:account/:name/queue', async ({ request }) => daemon.queue(ownHere(request).id))
  on('DELETE /-/api/demos/:account/:name/queue', async ({ request }) => {
    const own = ownHere(request)
    const act = { action: 'emptyQueue', object: demoPath(own) } as const
    return { canceled: await audit.record(request, act, () => daemon.emptyQueue(own.id)) }
  })
  on(
    'POST /-/api/demos/:account/:name/queue/:prediction_id/cancel',
    async ({ params: { prediction_id: id }, request }) => {
      const demo = ownHere(request)
      const own = daemon.predictor(demo.id, undefined)
      await audit.record(
        request,
        { action: 'cancelQueued', object: `${demoPath(demo)}/predictions/${id}` },
        async () => {
          const prediction = isPredictionId(id) ? await own.find(id) : undefined
          if (!(await prediction?.cancel())) throw new Refused(404, 'There is no such prediction that waits or runs.')
        },
      )
      return {}
    },
  )
  on('GET /-/api/demos/:account/:name/logs', async ({ query: { offset, follow }, request, reply }) => {
    const own = ownHere(request)
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const { body, size } = await daemon.logs(own.id, offset, follow === '1', gone.signal)
    reply.headers({ 'content-type': 'text/plain; charset=utf-8', 'origami-log-size': size })
    return reply.send(Readable.from(headersFirst(reply, quietly(body, gone.signal)), { objectMode: false }))
  })
}

/** Ends without an error when the reader has left. */
async function* quietly(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
