import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import type { Duplex } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import { countExternalMemory } from '@origami/host/external-memory'
import { logger } from '@origami/host/logger'
import { Notices } from '@origami/host/notices'
import { makePrivateFolder } from '@origami/host/private-files'
import { serverUrl } from '@origami/host/server-url'
import { Slices, serverSliceMs } from '@origami/host/slices'
import type { DaemonHealth } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import { limitJson, refuseEarly, refuseForeignHosts, sendError, underLimits, unroutable } from '@origami/serving'
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import { addressKey } from './accounts/address.ts'
import { Audit } from './accounts/audit.ts'
import { Deployers } from './accounts/deployers.ts'
import { DeviceCodes } from './accounts/device-codes.ts'
import { OwnerLinks } from './accounts/owner-links.ts'
import { SignIn } from './accounts/sign-in.ts'
import { TrustedProxies } from './accounts/trusted-proxies.ts'
import { Sessions } from './accounts/who.ts'
import { accountRoutes } from './api/account-routes.ts'
import { atAddress } from './api/at-address.ts'
import { auditRoute } from './api/audit-route.ts'
import { guardFromOtherSites, withoutForeignCookies } from './api/cross-origin.ts'
import { demoRoutes } from './api/demo-routes.ts'
import { deviceRoutes } from './api/device-routes.ts'
import { documentRoute } from './api/document.ts'
import { guard } from './api/guard.ts'
import { limitConnections, limitOpenRequests, limitSlowRequests, slowRequestsRound } from './api/limit-connections.ts'
import { limitRequests } from './api/limit-requests.ts'
import { ownerRoutes } from './api/owner-routes.ts'
import { predictionRoutes } from './api/prediction-routes.ts'
import { queueRoutes } from './api/queue-routes.ts'
import { securityHeaders } from './api/security-headers.ts'
import { tokenRoutes } from './api/token-routes.ts'
import { CertificateRenewal } from './certificates/renewal.ts'
import { defaultLimits, type OAuthApp, type WebConfig, type WebLimits, type WebSecrets } from './config.ts'
import type { Context } from './context.ts'
import { DaemonClient } from './daemon-client.ts'
import { Deploys } from './demos/deploys.ts'
import { Elsewhere } from './demos/elsewhere.ts'
import { FollowDaemon } from './demos/follow-daemon.ts'
import { LatestDetails } from './demos/latest-details.ts'
import { openForges } from './forges/forges.ts'
import { Pages } from './pages.ts'
import { Secrets } from './secrets.ts'
import { Demos } from './store/demos.ts'
import { openStore } from './store/open.ts'

export interface Web extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** A link that signs in the owner once. */
  ownerLink(): string
  /** Puts limits in force at once. Those that are not given are the defaults. */
  configure(limits: Partial<WebLimits>): void
  /** Replaces the proxies whose X-Forwarded-* is trusted: addresses and networks (CIDR), of which `hops` in a row. */
  trust(proxies: readonly string[], hops?: number): void
  /** What the daemon says of itself. Throws Gone when it does not answer. */
  daemonHealth(): Promise<DaemonHealth>
}

type Log = (message: string, error?: unknown) => void

export interface WebHooks {
  /** Called with each route when it is made. */
  readonly onRoute?: (route: RouteOptions) => void
  /** Opens a link to a daemon in the same process. */
  readonly daemonLink?: () => Duplex
}

/** Opens the state folder, listens, and follows the daemon, which may be away. */
export async function startWeb(config: WebConfig, { oauth }: WebSecrets, hooks: WebHooks = {}): Promise<Web> {
  await using opened = new AsyncDisposableStack()
  await makePrivateFolder(config.data)
  const limits: WebLimits = { ...defaultLimits, ...config.limits }
  const log: Log = logger('web').error
  const slices = new Slices({ sliceMs: serverSliceMs })
  let listening = ''
  const configuredUrl = config.publicUrl?.replace(/\/$/, '')
  const publicUrl = () => configuredUrl ?? listening
  const { daemonLink } = hooks
  const context = await openContext({ config, apps: oauth, limits, publicUrl, slices, log, daemonLink }, opened)

  const proxies = new TrustedProxies(config.trustedProxies ?? [], config.proxyHops)
  const app = await createServer(context, proxies, hooks)
  await app.listen({ host: config.host, port: config.port })
  const { port } = app.server.address() as AddressInfo
  listening = serverUrl('http', config.host, port)
  const leaving = new AbortController()
  const working = work(context, slices, log, leaving.signal)
  const { data, daemon } = config
  const renewal = new CertificateRenewal({ data, tls: daemon.tls, daemon: context.daemon, limits, clock: Date.now })
  const renewing = renewal.work(leaving.signal)
  const resources = opened.move()
  return {
    url: listening,
    port,
    ownerLink: () => context.ownerLinks.make(publicUrl()),
    trust: (addresses, hops) => proxies.replace(addresses, hops),
    daemonHealth: () => context.daemon.health(),
    configure: (changed) => limitSlowRequests(app.server, Object.assign(limits, defaultLimits, changed)),
    async [Symbol.asyncDispose]() {
      leaving.abort()
      await app.close()
      await working
      // Ends the connections to the daemon, and with them a renewal that waits for its answer.
      await resources.disposeAsync()
      await renewing
    },
  }
}

interface Opening {
  /** OAuth apps, by the forge's host. */
  readonly apps: Readonly<Record<string, OAuthApp>>
  readonly slices: Slices
  readonly log: Log
  readonly daemonLink: WebHooks['daemonLink']
}

/** Opens what the routes need. The stack closes it. */
async function openContext(
  {
    config,
    apps,
    limits,
    publicUrl,
    slices,
    log,
    daemonLink,
  }: Pick<Context, 'config' | 'limits' | 'publicUrl'> & Opening,
  opened: AsyncDisposableStack,
): Promise<Context> {
  const secrets = await Secrets.open(config.data)
  const db = await openStore(config.data)
  opened.defer(() => db.destroy())
  const daemon = opened.use(await DaemonClient.open(config.daemon, limits, daemonLink))
  const demos = new Demos(db)
  const forges = openForges({ entries: config.forges, apps, limits, log })
  const deployers = new Deployers({ db, forges, listed: config.deployers, log })
  const callback = (host: string) => `${publicUrl()}/-/callback/${host}`
  const signIn = new SignIn({ db, secrets, forges, deployers, limits, callback })
  const sessions = new Sessions(db, secrets, limits, config.publicUrl?.startsWith('https:') ?? false)
  const deploys = new Deploys({ demos, daemon, signIn, forges, limits })
  const elsewhere = new Elsewhere(demos, config.networks ?? [], limits)
  const ownerLinks = new OwnerLinks(db)
  const audit = new Audit(db, limits)
  const deviceCodes = new DeviceCodes(db, limits)
  const changed = new Notices<string>()
  const details = new LatestDetails(daemon, limits)
  const followed = new FollowDaemon({ db, daemon, demos, details, changed, limits, slices, log })
  return {
    config,
    limits,
    forges,
    db,
    daemon,
    demos,
    deploys,
    elsewhere,
    sessions,
    signIn,
    deployers,
    ownerLinks,
    audit,
    deviceCodes,
    details,
    followed,
    changed,
    publicUrl,
  }
}

/** Does everything besides answering requests, until the signal aborts. */
async function work(context: Context, slices: Slices, log: Log, signal: AbortSignal): Promise<void> {
  const { followed, sessions, signIn, deviceCodes, audit, deployers, elsewhere, changed, limits } = context
  await Promise.all([
    followed.work(signal),
    sweepRegularly([sessions, signIn, deviceCodes, audit], slices, limits, log, signal),
    deployers.seed(signal),
    elsewhere.watch({ changed, log }, signal),
  ])
}

/** Removes what is too old at the start and then at intervals, until the signal aborts. */
async function sweepRegularly(
  all: readonly { sweep(slices: Slices, signal: AbortSignal): Promise<void> }[],
  slices: Slices,
  limits: WebLimits,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const failed = (error: unknown) => log('Sweeping failed; it is tried again.', error)
    await Promise.all(all.map((one) => one.sweep(slices, signal).catch(failed)))
    // An aborted wait ends the loop by its condition.
    await setTimeout(limits.sweepMs, undefined, { signal }).catch(() => undefined)
  }
}

/** Makes ids of requests, which no other run of a server makes: they stand in the audit log for long. */
function requestIds(): () => string {
  const run = randomId().slice(0, 8)
  let requests = 0
  return () => {
    requests += 1
    return `${run}-${requests.toString(36)}`
  }
}

async function createServer(
  context: Context,
  proxies: TrustedProxies,
  { onRoute }: WebHooks,
): Promise<FastifyInstance> {
  const { config, limits, publicUrl, sessions } = context
  countExternalMemory()
  const hosts = [
    hostname().toLowerCase(),
    ...(config.allowedHosts ?? []),
    new URL(config.publicUrl ?? 'http://localhost').hostname,
  ]
  const app: FastifyInstance = Fastify({
    ...unroutable,
    http: { ...unroutable.http, ...slowRequestsRound },
    trustProxy: (address, hop) => proxies.believes(address, hop),
    forceCloseConnections: true,
    logger: { level: 'warn' },
    genReqId: requestIds(),
  })
  limitJson(app, underLimits(limits))
  if (onRoute) app.addHook('onRoute', onRoute)
  limitSlowRequests(app.server, limits)
  limitConnections(app.server, limits, (address) => proxies.has(address))
  refuseEarly(app)
  refuseForeignHosts(app, { names: () => hosts, setting: 'allowed_hosts' })
  app.setErrorHandler(sendError)
  await app.register(cookie)
  withoutForeignCookies(app, context)
  limitRequests(app, limits)
  limitOpenRequests(app, limits)
  // Routes that are dearer have a limit of their own as well.
  await app.register(rateLimit, {
    global: false,
    enableDraftSpec: true,
    keyGenerator: (request) => addressKey(request.ip),
  })
  securityHeaders(app, config.publicUrl?.startsWith('https:') ?? false)
  guard(app, sessions)
  atAddress(app, context)
  guardFromOtherSites(app, context)
  await documentRoute(app, publicUrl)
  await app.register(accountRoutes, context)
  await app.register(tokenRoutes, context)
  await app.register(deviceRoutes, context)
  await app.register(demoRoutes, context)
  await app.register(ownerRoutes, context)
  await app.register(queueRoutes, context)
  await app.register(auditRoute, context)
  const pages = await Pages.open(context)
  const demoApi = (routes: FastifyInstance) => predictionRoutes(routes, context, pages)
  await app.register(demoApi, { prefix: '/:account/:name' })
  await pages.routes(app)
  return app
}
