import { Octokit } from '@octokit/core'
import type { Forge } from '@origami/protocol/control'
import type { ForgeUser } from '../accounts/accounts.ts'

/** A repository as the forge shows it to who asks. */
export interface FoundRepo {
  readonly owner: string
  readonly name: string
  readonly description: string | null
  readonly private: boolean
  readonly pushedAt: string | null
}

interface RawRepo {
  owner: { login: string }
  name: string
  description: string | null
  private: boolean
  pushed_at: string | null
}

/** The forge would not tell. `signedOut`: it no longer knows the token, and asking its person anew helps. */
export class ForgeError extends Error {
  override readonly name = 'ForgeError'
  readonly host: string
  readonly signedOut: boolean
  constructor(host: string, message: string, { signedOut = false, cause }: { signedOut?: boolean; cause?: unknown }) {
    super(message, { cause })
    this.host = host
    this.signedOut = signedOut
  }
}

/** GitHub's REST API, of github.com or of any forge that speaks it. Without a token: as anyone. Throws ForgeError. */
export class GithubApi {
  private readonly octokit: Octokit
  private readonly host: string

  constructor(forge: Forge, token?: string) {
    this.host = forge.host
    this.octokit = new Octokit({ baseUrl: forge.api ?? '', ...(token ? { auth: token } : {}), log: quiet })
  }

  async user(): Promise<ForgeUser> {
    const { data } = await this.asked(() => this.octokit.request('GET /user'))
    return { subject: String(data.id), login: data.login, name: data.name ?? null, avatar: data.avatar_url ?? null }
  }

  /** Whose login it is now. Undefined: nobody's. */
  async account(username: string): Promise<ForgeUser | undefined> {
    return this.unlessMissing(async () => {
      const { data } = await this.octokit.request('GET /users/{username}', { username })
      return { subject: String(data.id), login: data.login, name: data.name ?? null, avatar: data.avatar_url ?? null }
    })
  }

  /** One's own, those pushed to last first. */
  async repos(): Promise<FoundRepo[]> {
    const { data } = await this.asked(() => this.octokit.request('GET /user/repos', { per_page: 100, sort: 'pushed' }))
    return (data as RawRepo[]).map(found)
  }

  /** Undefined: not there, or not to be seen. */
  async repo(owner: string, repo: string): Promise<FoundRepo | undefined> {
    return this.unlessMissing(async () =>
      found((await this.octokit.request('GET /repos/{owner}/{repo}', { owner, repo })).data as RawRepo),
    )
  }

  async has(owner: string, repo: string, path: string): Promise<boolean> {
    const there = await this.unlessMissing(async () => {
      await this.octokit.request('GET /repos/{owner}/{repo}/contents/{path}', { owner, repo, path })
      return true
    })
    return there ?? false
  }

  async head(owner: string, repo: string): Promise<{ sha: string; message: string } | undefined> {
    return this.unlessMissing(async () => {
      const { data } = await this.octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', { owner, repo, ref: 'HEAD' })
      return { sha: data.sha, message: data.commit.message.split('\n')[0] ?? '' }
    })
  }

  private async unlessMissing<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await ask()
    } catch (error) {
      const { status } = error as { status?: number }
      if (status === 404 || status === 409) return undefined
      throw this.inWords(error)
    }
  }

  private async asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    return ask().catch((error: unknown) => {
      throw this.inWords(error)
    })
  }

  private inWords(cause: unknown): ForgeError {
    const { host } = this
    const { status } = cause as { status?: number }
    if (status === 401)
      return new ForgeError(host, `${host} no longer knows your sign-in; sign in there again.`, { signedOut: true, cause })
    if (status === 403 || status === 429)
      return new ForgeError(host, `${host} answers no more questions for a while; try again later.`, { cause })
    return new ForgeError(host, `${host} could not be asked; try again later.`, { cause })
  }
}

const found = ({ owner, name, description, private: isPrivate, pushed_at }: RawRepo): FoundRepo => ({
  owner: owner.login,
  name,
  description,
  private: isPrivate,
  pushedAt: pushed_at,
})

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
