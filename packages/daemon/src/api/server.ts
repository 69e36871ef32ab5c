import { LinkError } from '@origami/protocol/control'
import { limitJson, predictionsApi, sendError, underLimits } from '@origami/serving'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
import { ZodError } from 'zod'
import type { DaemonConfig } from '../config.ts'
import { NeverDeployed } from '../deploy/control.ts'
import { CertificateRefused, OwnCertificate } from '../state/own-certificate.ts'
import { certificateRoutes } from './certificate-routes.ts'
import { controlRoutes } from './control-routes.ts'
import { addressOf, demoParam, visitorOf } from './params.ts'
import type { ApiParts } from './parts.ts'
import { queueRoutes } from './queue-routes.ts'
import { statsRoutes } from './stats-routes.ts'

/** The daemon's API over mutual TLS: without a certificate of our authority there is no answer. */
export async function createServer(config: DaemonConfig, parts: ApiParts): Promise<FastifyInstance> {
  const own = await OwnCertificate.open(config.tls)
  own.refuseNameless(config.host)
  const app = Fastify({
    https: { ...own.secureContext, requestCert: true, rejectUnauthorized: true },
    forceCloseConnections: true,
    logger: { level: 'warn' },
  }) as unknown as FastifyInstance
  limitJson(app, underLimits(parts.limits))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ZodError || error instanceof LinkError) return reply.status(422).send({ error: words(error) })
    if (error instanceof CertificateRefused) return reply.status(error.statusCode).send({ error: error.message })
    if (error instanceof NeverDeployed) return reply.status(409).send({ error: error.message })
    return sendError(error, request, reply)
  })
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ error: 'There is nothing here.' }))
  await app.register(certificateRoutes, { own })
  await app.register(controlRoutes, parts)
  await app.register(statsRoutes, parts)
  await app.register(queueRoutes, parts)
  await app.register(predictionsApi, {
    prefix: '/demos/:demo',
    predictor: (request: FastifyRequest) => parts.queue.predictor(demoParam(request), addressOf(request)),
    visitor: visitorOf,
    maxFileBytes: () => parts.limits.fileBytes,
    remoteFiles: () => ({ deadlineMs: parts.limits.fetchMs, idleMs: parts.limits.fetchIdleMs }),
    slowReaderMs: () => parts.limits.slowReaderMs,
  })
  return app
}

function words(error: ZodError | LinkError): string {
  if (error instanceof LinkError) return `remote_repo_link: ${error.message}`
  return error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ')
}
