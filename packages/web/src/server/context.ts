import type { Notices } from '@origami/host/notices'
import type { FastifyReply, FastifyRequest } from 'fastify'
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
import type { Demos, Owned } from './store/demos.ts'
import type { Db } from './store/open.ts'

/** What routes work with. */
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
  readonly deviceCodes: DeviceCodes
  readonly details: LatestDetails
  readonly followed: FollowDaemon
  /** Wakes who looks at a demo, by its id. */
  readonly changed: Notices<string>
  /** `https://demos.example.org`, without a slash at its end. */
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
    /** `?key=` of an unlisted link, as it was sent: a route's schema may know nothing of it. */
    unlistedKey: unknown
  }
}

/** Who asks, of those who may deploy. Throws Refused. */
export async function deployer({ deployers }: Context, request: FastifyRequest) {
  const account = signedIn(request)
  if (!(await deployers.mayDeploy(account)))
    throw new Refused(403, 'Only the owner of this server, and accounts the owner lists, may deploy here.')
  return account
}

/** Throws Refused for who is not signed in. */
export function signedIn(request: FastifyRequest) {
  const { account } = request.who
  if (!account) throw new Refused(401, 'Sign in first.')
  return account
}

/**
 * The demo at an address, for who may see it: 404 for everybody else. A reply remembers who came by the unlisted link.
 */
export function visibleDemo(context: Context, request: FastifyRequest, reply?: FastifyReply): Owned {
  const { demo } = request
  if (!demo || !sees(context, request, demo)) throw nothing()
  if (reply && hasKey(request, demo)) context.sessions.unlock(reply, demo.id)
  return demo
}

/** Whether who asks may see a demo: anyone, where it is public; else its owner, and who came by its unlisted link. */
export const sees = ({ sessions }: Context, request: FastifyRequest, demo: Owned): boolean =>
  demo.public ||
  demo.account === request.who.account?.id ||
  sessions.unlocked(request, demo.id) ||
  hasKey(request, demo)

const hasKey = (request: FastifyRequest, demo: Owned): boolean => request.unlistedKey === demo.key

/** The demo at an address, for its owner: to everybody else it is not there. */
export function ownDemo(request: FastifyRequest): Owned {
  const { demo } = request
  if (!demo || demo.account !== request.who.account?.id) throw nothing()
  return demo
}

/** A demo of its owner's that runs here. Throws Refused for one that runs elsewhere. */
export function ownHere(request: FastifyRequest): Owned {
  const demo = ownDemo(request)
  if (demo.url) throw new Refused(409, `It runs at ${demo.url}: Origami lists it, and does not control it.`)
  return demo
}

const nothing = (): Refused => new Refused(404, 'There is no such demo.')
