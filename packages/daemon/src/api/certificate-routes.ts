import { type CertificateInfo, daemonApi } from '@origami/protocol/control'
import { endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance } from 'fastify'
import type { OwnCertificate } from '../state/own-certificate.ts'
import { remarksOn } from './remarks.ts'

interface CertificateParts {
  readonly own: OwnCertificate
  /** Makes the server use its current certificate for new connections. */
  serve(): void
}

/**
 * The web server renews the daemon's certificate through these routes, since it is the certificate authority. Open
 * connections stay open.
 */
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
