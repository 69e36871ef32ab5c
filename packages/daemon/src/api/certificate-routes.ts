import type { Server } from 'node:https'
import { type CertificateInfo, certificateGrant } from '@origami/protocol/control'
import type { FastifyInstance } from 'fastify'
import type { OwnCertificate } from '../state/own-certificate.ts'

/** The web server, which is the authority, renews the daemon's certificate by these. Connections that stand go on. */
export async function certificateRoutes(app: FastifyInstance, { own }: { own: OwnCertificate }): Promise<void> {
  const info = (): CertificateInfo => ({ valid_to: own.certificate.validToDate.toISOString() })

  app.get('/certificate', async () => info())
  app.post('/certificate/request', async () => ({ request: await own.request() }))
  app.put('/certificate', async (request) => {
    await own.accept(certificateGrant.parse(request.body).certificate)
    const server = app.server as unknown as Server
    server.setSecureContext(own.secureContext)
    return info()
  })
}
