import { type CertificateInfo, daemonApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import type { OwnCertificate } from '../state/own-certificate.ts'
import { remarksOn } from './remarks.ts'

interface CertificateParts {
  readonly own: OwnCertificate
  /** Lets new connections have the certificate that it has now. */
  serve(): void
}

/** The web server, which is the authority, renews the daemon's certificate by these. Connections that stand go on. */
export async function certificateRoutes(app: FastifyInstance, { own, serve }: CertificateParts): Promise<void> {
  const info = (): CertificateInfo => ({ valid_to: own.certificate.validToDate.toISOString() })

  const on = endpointsOn(app, daemonApi, remarksOn)
  on('GET /certificate', async () => info())
  on('POST /certificate/request', async () => ({ request: await own.request() }))
  on('PUT /certificate', async ({ body: { certificate } }) => {
    await own.accept(certificate)
    serve()
    return info()
  })
}
