import type { Inspection, newDemo, RepositoryList } from '@origami/protocol/control'
import type { z } from 'zod'
import type { SignIn } from '../accounts/sign-in.ts'
import { Refused } from '../accounts/who.ts'
import type { WebLimits } from '../config.ts'
import { type DaemonClient, DaemonRefused } from '../daemon-client.ts'
import type { Forge } from '../forges/forge.ts'
import { forgeAt } from '../forges/forges.ts'
import type { Account } from '../store/accounts.ts'
import type { Demos, Owned } from '../store/demos.ts'
import { demoIdOf } from './demo-id.ts'
import { demoPath } from './present.ts'
import { accessRepository, type RepositoryAccess } from './repository-access.ts'
import { RepositoryLists } from './repository-lists.ts'

export interface DeploysParts {
  readonly demos: Demos
  readonly daemon: DaemonClient
  readonly signIn: SignIn
  readonly forges: readonly Forge[]
  readonly limits: WebLimits
}

interface Triggering {
  readonly owned: Promise<Owned>
  /** A time of `performance.now()`. Infinity while it goes on. */
  endedAt: number
}

/** A deploy whose forge took longer than this to answer does not join another one. */
const slowestForgeMs = 60_000

export const nameTaken = (name: string): Refused =>
  new Refused(409, `You have a demo called ${name} already; give this one another name.`)

/** Only its owner can make an unlisted demo public, on its page. A repeated command must not do it. */
const staysUnlisted = ({ name }: Owned): Refused =>
  new Refused(
    409,
    `Your demo ${name} is unlisted, and stays so: make it public on its page, or deploy without asking for it.`,
  )

/**
 * Turns a link into a deployment: checks who may read the repository, chooses the demo's name, and triggers the deploy.
 */
export class Deploys {
  private readonly parts: DeploysParts
  /** Deployments that the daemon is being told of, or was told of just now, by their demo. */
  private readonly triggering = new Map<string, Triggering>()

  private readonly repositoryLists: RepositoryLists

  constructor(parts: DeploysParts) {
    this.parts = parts
    this.repositoryLists = new RepositoryLists(parts.limits)
  }

  /**
   * Makes a demo from a link under the requested name, or deploys the existing one. Its row is stored before the daemon
   * is told, so that after a failure in between its owner sees the demo and can deploy it. Throws Refused,
   * NeedsAuthorization, and Gone while the daemon is away.
   */
  async create(account: Account, asked: z.infer<typeof newDemo>): Promise<{ demo: Owned; made: boolean }> {
    const { demos } = this.parts
    const clicked = performance.now()
    const access = await accessRepository(this.parts, account, asked.link)
    const id = demoIdOf(account.id, access.repo.canonical)
    const made = (await demos.byId(id)) === undefined && (await this.add(account, id, asked, access))
    const demo = await demos.byId(id)
    if (!demo) throw new Refused(409, 'It was removed meanwhile.')
    if (asked.public === true && !demo.public) throw staysUnlisted(demo)
    if (asked.name !== undefined && asked.name !== demo.name && !(await demos.rename(demo, asked.name)))
      throw nameTaken(asked.name)
    if (asked.public === false && demo.public) await demos.change(id, { public: false })
    try {
      return { demo: await this.triggerOnce(account, demo, access, clicked), made }
    } catch (error) {
      // The daemon answered with a refusal, so the new demo is removed here as well.
      if (made && error instanceof DaemonRefused) await demos.remove(id)
      throw error
    }
  }

  /** Deploys the newest commit of a demo. */
  async redeploy(account: Account, demo: Owned): Promise<Owned> {
    return this.trigger(account, demo, await accessRepository(this.parts, account, demo.link))
  }

  /** False: another request of the owner added it meanwhile. */
  private async add(
    account: Account,
    id: string,
    asked: z.infer<typeof newDemo>,
    { repo, seen }: RepositoryAccess,
  ): Promise<boolean> {
    const isPrivate = seen?.found.private ?? false
    if (isPrivate && asked.public === undefined)
      throw new Refused(
        422,
        'The repository is private: say whether its demo may be public (origami deploy --public, or --private).',
      )
    const name = asked.name ?? repo.name
    const isPublic = asked.public ?? true
    const row = { id, name, link: repo.canonical, public: isPublic, private: isPrivate }
    if (await this.parts.demos.add(account, row)) return true
    if (await this.parts.demos.byId(id)) return false
    throw nameTaken(name)
  }

  /**
   * Simultaneous requests make one deployment: what was requested before the daemon was told joins it, however long the
   * forge took to answer.
   */
  private async triggerOnce(account: Account, demo: Owned, access: RepositoryAccess, clicked: number): Promise<Owned> {
    const last = this.triggering.get(demo.id)
    if (last && clicked < last.endedAt) return last.owned
    const triggering: Triggering = { owned: this.trigger(account, demo, access), endedAt: Number.POSITIVE_INFINITY }
    this.triggering.set(demo.id, triggering)
    try {
      return await triggering.owned
    } finally {
      triggering.endedAt = performance.now()
      setTimeout(
        () => this.triggering.get(demo.id) === triggering && this.triggering.delete(demo.id),
        slowestForgeMs,
      ).unref()
    }
  }

  /** Finds out what a link leads to, before it is deployed. */
  async inspect(account: Account, link: string): Promise<Inspection> {
    const { repo, seen } = await accessRepository(this.parts, account, link)
    const [linked, dockerfile, commit] = seen
      ? await Promise.all([
          seen.reader.has(repo, '.origami'),
          seen.reader.has(repo, 'Dockerfile'),
          seen.reader.head(repo),
        ])
      : [null, null, undefined]
    const known = await this.parts.demos.byId(demoIdOf(account.id, repo.canonical))
    return {
      link: repo.canonical,
      name: repo.name,
      private: seen?.found.private ?? false,
      linked,
      dockerfile,
      commit: commit ?? null,
      demo: known ? { address: demoPath(known) } : null,
    }
  }

  /** The account's repositories at a forge, each with whether it has a `.origami`. */
  async repositories(account: Account, host: string, search: string): Promise<RepositoryList> {
    const forge = forgeAt(this.parts.forges, host)
    const grant = forge && (await this.parts.signIn.grantAt(account, host))
    if (!grant) return { repositories: [], private_authorised: false, cut: false }
    const found = await this.repositoryLists.search(account.id, forge, grant, search)
    return { ...found, private_authorised: forge.repositories?.readsPrivate(grant) ?? false }
  }

  private async trigger(account: Account, demo: Owned, { repo, seen, token }: RepositoryAccess): Promise<Owned> {
    const isPrivate = seen?.found.private ?? false
    await this.parts.daemon.trigger(account.id, repo.canonical, isPrivate ? token : null)
    const state = demo.state === 'undeployed' ? { state: 'waiting' as const } : {}
    await this.parts.demos.change(demo.id, { private: isPrivate, ...state })
    const now = await this.parts.demos.byId(demo.id)
    if (!now) throw new Refused(404, 'There is no such demo.')
    return now
  }
}
