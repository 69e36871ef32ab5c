import { isIP } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { clipped } from './misfit.ts'

export interface OwnHosts {
  /** The names under which this server is called, besides addresses and `localhost`. Called for each request. */
  names(): readonly string[]
  /** Where a person lists more of them: `allowed_hosts`. */
  readonly setting: string
}

/**
 * Refuses requests for a host of another name. Who owns a name can let it lead to this server at any moment (DNS
 * rebinding): to a browser, this server is then a part of their site, and their page may read what it answers.
 */
export function refuseForeignHosts(app: FastifyInstance, { names, setting }: OwnHosts): void {
  app.addHook('onRequest', (request, reply, done) => {
    const host = request.hostname?.toLowerCase() ?? ''
    if (host === '' || isAddress(host) || names().includes(host)) return done()
    const error = `expected a host that this server is known by, got ${clipped(host)}; whoever runs it lists it in ${setting}`
    reply.status(403).send({ error })
  })
}

/** Refuses changes that a page of another site asks for. Programs send neither `Origin` nor `Sec-Fetch-Site`. */
export function refuseOtherSites(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!changes(request) || !isFromOtherSite(request, [request.host])) return done()
    reply.status(403).send({ error: 'Pages of other sites cannot run this demo; a program can.' })
  })
}

/** Whether a page whose host is none of these sent it. Browsers name it in `Origin`, and tell in `Sec-Fetch-Site`. */
export function isFromOtherSite(request: FastifyRequest, hosts: readonly (string | undefined)[]): boolean {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined && !hosts.includes(hostOf(origin))) return true
  return changes(request) && site !== undefined && site !== 'same-origin' && site !== 'none'
}

/** An address cannot be made to lead elsewhere, and neither can `localhost`. */
const isAddress = (host: string): boolean =>
  isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === 'localhost' || host.endsWith('.localhost')

const changes = ({ method }: FastifyRequest): boolean => method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'

/** The host with its port: `demos.example.org:8000`. Undefined for what is no address, such as `null`. */
export const hostOf = (url: string): string | undefined => URL.parse(url)?.host
