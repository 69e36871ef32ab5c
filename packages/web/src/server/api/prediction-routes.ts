import { predictionsApi } from '@origami/serving'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Refused } from '../accounts/who.ts'
import { type Context, visibleDemo } from '../context.ts'
import type { Pages } from '../pages.ts'
import { preflightRoutes } from './cross-origin.ts'

/** The predictions API of every demo, under its address, for programs, our pages and pages of other sites. */
export async function predictionRoutes(app: FastifyInstance, context: Context, pages: Pages): Promise<void> {
  const { limits, publicUrl } = context
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, crossOrigin: true }
  })
  preflightRoutes(app, context)
  await app.register(predictionsApi, {
    predictor: (request: FastifyRequest) => predictorOf(context, request),
    publicBase: (request: FastifyRequest) => publicUrl() + addressOf(request.url),
    html: (request, reply) => pages.demo(request, reply),
    maxFileBytes: () => limits.fileBytes,
    fileIdleMs: () => limits.bodyIdleMs,
    fileMs: () => limits.fileMs,
    remoteFiles: false,
    slowReaderMs: () => limits.slowReaderMs,
  })
}

function predictorOf(context: Context, request: FastifyRequest) {
  const demo = visibleDemo(context, request)
  if (demo.url) throw new Refused(404, `This demo runs at ${demo.url}; its API is there.`)
  if (request.method !== 'GET') context.details.forget(demo.id)
  const forOwner = demo.account === request.who.account?.id && request.routeOptions.url?.endsWith('/cancel')
  const predictor = context.daemon.predictor(demo.id, forOwner ? undefined : request.who)
  // The daemon tells of each change of it while it is followed.
  if (demo.schema && context.followed.connected) predictor.knows(demo.schema)
  return predictor
}

/** The part of a path that names a demo: `/ann/digits` of `/ann/digits/predictions`. */
const addressOf = (url: string): string => url.slice(0, url.indexOf('/', url.indexOf('/', 1) + 1))
