import {
  type Forge,
  type Inspection,
  LinkError,
  type newDemo,
  parseRepoLink,
  type RepoLink,
  type Repository,
} from '@origami/protocol/control'
import type { z } from 'zod'
import type { SignIn } from '../accounts/sign-in.ts'
import { Refused } from '../accounts/who.ts'
import type { OAuthApp } from '../config.ts'
import type { DaemonClient } from '../daemon-client.ts'
import { type FoundRepo, GithubApi } from '../forges/github.ts'
import type { AccountRow } from '../store/open.ts'
import type { Demos, Owned } from './demos.ts'

/** The forge must be asked first: `authorize` is where. */
export class NeedsAuthorization extends Error {
  override readonly name = 'NeedsAuthorization'
  readonly authorize: string
  constructor(message: string, authorize: string) {
    super(message)
    this.authorize = authorize
  }
}

export interface DeployParts {
  readonly demos: Demos
  readonly daemon: DaemonClient
  readonly signIn: SignIn
  readonly forges: readonly Forge[]
  readonly oauth: Readonly<Record<string, OAuthApp>>
}

interface Access {
  readonly repo: RepoLink
  /** Undefined where the forge tells nothing: a folder. */
  readonly found: FoundRepo | undefined
  readonly api: GithubApi | undefined
  readonly token: string | null
}

/** From a link to a deployment: who may read the repository, what it is called here, and the trigger. */
export class Deploys {
  private readonly parts: DeployParts

  constructor(parts: DeployParts) {
    this.parts = parts
  }

  /** Makes a demo of a link, or deploys the one there is of it. Throws Refused, NeedsAuthorization. */
  async create(account: AccountRow, asked: z.infer<typeof newDemo>): Promise<Owned> {
    const access = await this.access(account, asked.link)
    const known = await this.parts.demos.byLink(account, access.repo.canonical)
    if (known) return this.trigger(account, known, access)
    const isPrivate = access.found?.private ?? false
    if (isPrivate && asked.public === undefined)
      throw new Refused(422, 'The repository is private: say whether its demo may be public.')
    const name = asked.name ?? access.repo.name
    if (await this.parts.demos.at(account.handle, name))
      throw new Refused(409, `You have a demo called ${name} already; give this one another name.`)
    const { demo } = await this.parts.daemon.trigger(account.id, access.repo.canonical, isPrivate ? access.token : null)
    await this.parts.demos.add(account, {
      id: demo,
      name,
      link: access.repo.canonical,
      public: (asked.public ?? true) ? 1 : 0,
      private: isPrivate ? 1 : 0,
    })
    return this.kept(demo)
  }

  /** Deploys the newest commit of a demo. */
  async again(account: AccountRow, demo: Owned): Promise<Owned> {
    return this.trigger(account, demo, await this.access(account, demo.link))
  }

  /** What is at a link, before it is deployed. */
  async inspect(account: AccountRow, link: string): Promise<Inspection> {
    const { repo, found, api } = await this.access(account, link)
    const [linked, dockerfile, commit] = api
      ? await Promise.all([
          api.has(repo.owner, repo.name, '.origami'),
          api.has(repo.owner, repo.name, 'Dockerfile'),
          api.head(repo.owner, repo.name),
        ])
      : [null, null, undefined]
    return { link: repo.canonical, name: repo.name, private: found?.private ?? false, linked, dockerfile, commit: commit ?? null }
  }

  /** One's own repositories at a forge, each with whether it has `.origami`. */
  async repositories(
    account: AccountRow,
    host: string,
    words: string,
  ): Promise<{ repositories: Repository[]; private_authorised: boolean }> {
    const forge = this.parts.forges.find((entry) => entry.host === host && entry.kind === 'github')
    const identity = forge && (await this.parts.signIn.tokenOf(account, host))
    if (!forge || !identity) return { repositories: [], private_authorised: false }
    const api = new GithubApi(forge, identity.token)
    const wanted = (await api.repos())
      .filter((repo) => `${repo.owner}/${repo.name}`.toLowerCase().includes(words.toLowerCase()))
      .slice(0, 30)
    const repositories = wanted.map(async (repo) => ({
      link: `https://${host}/${repo.owner}/${repo.name}`.toLowerCase(),
      owner: repo.owner,
      name: repo.name,
      description: repo.description,
      private: repo.private,
      pushed_at: repo.pushedAt,
      linked: await api.has(repo.owner, repo.name, '.origami'),
    }))
    return { repositories: await Promise.all(repositories), private_authorised: identity.scope.split(/[ ,]/).includes('repo') }
  }

  private async trigger(account: AccountRow, demo: Owned, { repo, found, token }: Access): Promise<Owned> {
    const isPrivate = found?.private ?? false
    await this.parts.daemon.trigger(account.id, repo.canonical, isPrivate ? token : null)
    await this.parts.demos.change(demo.id, { private: isPrivate ? 1 : 0 })
    return this.kept(demo.id)
  }

  private async kept(id: string): Promise<Owned> {
    const detail = await this.parts.daemon.detail(id)
    if (detail) await this.parts.demos.keep(detail)
    const demo = await this.parts.demos.byId(id)
    if (!demo) throw new Refused(404, 'There is no such demo.')
    return demo
  }

  /** Whether this person may read that repository. Throws Refused 404, or NeedsAuthorization where asking for more could help. */
  private async access(account: AccountRow, link: string): Promise<Access> {
    const repo = this.parse(link)
    if (repo.forge.kind === 'folder') return { repo, found: undefined, api: undefined, token: null }
    const identity = await this.parts.signIn.tokenOf(account, repo.forge.host)
    const api = new GithubApi(repo.forge, identity?.token)
    const found = await api.repo(repo.owner, repo.name)
    if (found) return { repo, found, api, token: identity?.token ?? null }
    const mayAsk = this.parts.oauth[repo.forge.host] !== undefined && !identity?.scope.split(/[ ,]/).includes('repo')
    if (!mayAsk) throw new Refused(404, `${repo.canonical} was not found, or is not yours to read.`)
    const back = `/-/new?link=${encodeURIComponent(repo.canonical)}`
    throw new NeedsAuthorization(
      `${repo.canonical} was not found. If it is private, allow Origami to read it.`,
      `/-/sign-in/${repo.forge.host}?scope=repo&return=${encodeURIComponent(back)}`,
    )
  }

  private parse(link: string): RepoLink {
    try {
      return parseRepoLink(link.trim(), this.parts.forges)
    } catch (error) {
      if (error instanceof LinkError) throw new Refused(422, error.message)
      throw error
    }
  }
}
