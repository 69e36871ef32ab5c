import type { Notices } from '@origami/host/notices'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Audit } from './accounts/audit.ts'
import type { Deployers } from './accounts/deployers.ts'
import type { DeviceCodes } from './accounts/device-codes.ts'
import type { OwnerLinks } from './accounts/owner-links.ts'
import type { SignIn } from './accounts/sign-in.ts'
import { Refused, type Sessions, type Who } from './accounts/who.ts'
import type { WebConfig, WebLimits } from './config.ts'
import type { DaemonClient } from './daemon-client.ts'
import type { Deploys } from './demos/deploys.ts'
import type { Elsewhere } from './demos/elsewhere.ts'
import type { FollowDaemon } from './demos/follow-daemon.ts'
import type { LatestDetails } from './demos/latest-details.ts'
import type { Forge } from './forges/forge.ts'
import { isEqual } from './secrets.ts'
import type { Demos, Owned } from './store/demos.ts'
import type { Db } from './store/open.ts'

/** What the routes need. */
export interface Context {
  readonly config: WebConfig
  readonly limits: WebLimits
  readonly forges: readonly Forge[]
  readonly db: Db
  readonly daemon: DaemonClient
  readonly demos: Demos
  readonly deploys: Deploys
  readonly elsewhere: Elsewhere
  readonly sessions: Sessions
  readonly signIn: SignIn
  readonly deployers: Deployers
  readonly ownerLinks: OwnerLinks
  readonly audit: Audit
  readonly deviceCodes: DeviceCodes
  readonly details: LatestDetails
  readonly followed: FollowDaemon
  /** Wakes those who look at a demo, by its id. */
  readonly changed: Notices<string>
  /** The public address without a trailing slash: `https://demos.example.org`. */
  readonly publicUrl: () => string
}

export interface DemoParams {
  account: string
  name: string
}

declare module 'fastify' {
  interface FastifyRequest {
    who: Who
    /** The demo of an address that has one. */
    demo: Owned | undefined
    /** Whether a page of another site sent it to a demo's API. Then no cookie and no key of a link counts. */
    isForeign: boolean
    /** The `?key=` of an unlisted link as it was sent, because a route's schema may not contain it. */
    unlistedKey: unknown
  }
}

/** The caller's account, if it may deploy. Throws Refused. */
export async function deployer({ deployers }: Context, request: FastifyRequest) {
  const account = signedIn(request)
  if (!(await deployers.mayDeploy(account)))
    throw new Refused(403, 'Only the owner of this server, and accounts the owner lists, may deploy here.')
  return account
}

/** Whether the caller acts as the owner of this server. A token does so only where it may. */
export const isOperator = ({ account, scopes }: Who): boolean =>
  account?.owner === true && (scopes === undefined || scopes.includes('admin'))

/** Throws Refused unless the caller is the owner of this server. */
export function operator(request: FastifyRequest): void {
  if (!signedIn(request).owner) throw new Refused(403, 'Only the owner of this server may do this.')
}

/** Throws Refused when the caller is not signed in. */
export function signedIn(request: FastifyRequest) {
  const { account } = request.who
  if (!account) throw new Refused(401, 'Sign in first.')
  return account
}

/**
 * The demo at an address, if the caller may see it. Throws Refused with 404 for everybody else. The reply's cookie
 * remembers a caller who came by the unlisted link.
 */
export function visibleDemo(context: Context, request: FastifyRequest, reply?: FastifyReply): Owned {
  const { demo } = request
  if (!demo || !sees(context, request, demo)) throw nothing()
  if (reply && hasKey(request, demo)) context.sessions.unlock(reply, demo)
  return demo
}

/**
 * Whether the caller may see a demo: everybody may see a public one, and only its owner, this server's owner and those
 * who came by its unlisted link another one.
 */
export const sees = ({ sessions }: Context, request: FastifyRequest, demo: Owned): boolean =>
  demo.public || controls(request, demo) || sessions.unlocked(request, demo) || hasKey(request, demo)

const hasKey = ({ unlistedKey }: FastifyRequest, demo: Owned): boolean =>
  typeof unlistedKey === 'string' && isEqual(demo.key, unlistedKey)

/** Whether the caller may stop, hide and remove a demo, as its owner and this server's owner may. */
export const controls = ({ who }: FastifyRequest, demo: Owned): boolean =>
  demo.account === who.account?.id || isOperator(who)

/** The demo at an address, for those who control it. Throws Refused with 404 for everybody else. */
export function controlledDemo(request: FastifyRequest): Owned {
  const { demo } = request
  if (!demo || !controls(request, demo)) throw nothing()
  return demo
}

/** The demo at an address, for its owner. Throws Refused with 404 for everybody else. */
export function ownDemo(request: FastifyRequest): Owned {
  const { demo } = request
  if (!demo || demo.account !== request.who.account?.id) throw nothing()
  return demo
}

/** The owner's demo at an address, which must run here. Throws Refused for one that runs elsewhere. */
export const ownHere = (request: FastifyRequest): Owned => runningHere(ownDemo(request))

/** The same, for those who control it. */
export const controlledHere = (request: FastifyRequest): Owned => runningHere(controlledDemo(request))

function runningHere(demo: Owned): Owned {
  if (demo.url) throw new Refused(409, `It runs at ${demo.url}: Origami lists it, and does not control it.`)
  return demo
}

const nothing = (): Refused => new Refused(404, 'There is no such demo.')
