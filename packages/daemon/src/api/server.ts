import type { Duplex } from 'node:stream'
import { countExternalMemory } from '@origami/host/external-memory'
import {
  acceptLinks,
  hostless,
  limitJson,
  linkable,
  predictionsApi,
  refuseEarly,
  sendError,
  underLimits,
  unroutable,
} from '@origami/serving'
import { documentRoutes } from '@origami/serving/document'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { DaemonConfig } from '../config.ts'
import { OwnCertificate } from '../state/own-certificate.ts'
import { certificateRoutes } from './certificate-routes.ts'
import { controlRoutes } from './control-routes.ts'
import { callerAddress, callerVisitor, demoNamed, demoParam, whose } from './params.ts'
import type { ApiParts } from './parts.ts'
import { queueRoutes } from './queue-routes.ts'
import { statsRoutes } from './stats-routes.ts'

/**
 * The daemon's API over mutual TLS. A client without a certificate of our authority gets no answer. `link` opens a link
 * for a caller in this process.
 */
export async function createServer(
  config: DaemonConfig,
  parts: ApiParts,
): Promise<{ readonly app: FastifyInstance; readonly link: () => Duplex }> {
  countExternalMemory()
  const own = await OwnCertificate.open(config.tls)
  own.refuseNameless(config.host)
  const { http: _plain, ...options } = unroutable
  const secure = Fastify({
    ...options,
    https: { ...hostless, ...linkable, ...own.secureContext, requestCert: true, rejectUnauthorized: true },
    forceCloseConnections: true,
    logger: { level: 'warn' },
  })
  // An HTTPS server is an HTTP server as well, so the type of an HTTP instance holds for this one.
  const app = secure as FastifyInstance
  limitJson(app, underLimits(parts.limits))
  refuseEarly(app)
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ error: 'There is nothing here.' }))
  await documentRoutes(app, about)
  app.get('/openapi.json', async () => app.swagger())
  await app.register(certificateRoutes, { own, serve: () => secure.server.setSecureContext(own.secureContext) })
  await app.register(controlRoutes, parts)
  await app.register(statsRoutes, parts)
  await app.register(queueRoutes, parts)
  const inputs = {
    maxFileBytes: () => parts.limits.fileBytes,
    remoteFiles: () => ({ deadlineMs: parts.limits.fetchMs, idleMs: parts.limits.fetchIdleMs }),
  }
  const link = acceptLinks(app, {
    ...inputs,
    predictor: ({ demo, address }) => parts.queue.predictor(demoNamed(demo), whose('address', address)),
    visitor: ({ visitor }) => whose('visitor', visitor),
    maxBytes: () => parts.limits.bodyBytes,
    silenceMs: () => parts.limits.callIdleMs,
  })
  await app.register(predictionsApi, {
    ...inputs,
    prefix: '/demos/:demo',
    predictor: (request: FastifyRequest) => parts.queue.predictor(demoParam(request), callerAddress(request)),
    visitor: callerVisitor,
    fileIdleMs: () => parts.limits.callIdleMs,
    slowReaderMs: () => parts.limits.slowReaderMs,
  })
  return { app, link }
}

const about = {
  info: { title: 'The daemon of Origami', version: '1', description: 'For its web server alone, over mutual TLS.' },
}
