import type { Server } from 'node:https'
import { type CertificateInfo, daemonApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import type { OwnCertificate } from '../state/own-certificate.ts'

/** The web server, which is the authority, renews the daemon's certificate by these. Connections that stand go on. */
export async function certificateRoutes(app: FastifyInstance, { own }: { own: OwnCertificate }): Promise<void> {
  const info = (): CertificateInfo => ({ valid_to: own.certificate.validToDate.toISOString() })

  const on = endpointsOn(app, daemonApi)
  on('GET /certificate', async () => info())
  on('POST /certificate/request', async () => ({ request: await own.request() }))
  on('PUT /certificate', async ({ body: { certificate } }) => {
    await own.accept(certificate)
    const server = app.server as unknown as Server
    server.setSecureContext(own.secureContext)
    return info()
  })
}
