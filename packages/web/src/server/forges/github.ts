import { Octokit } from '@octokit/core'
import type { ForgeEntry } from '@origami/protocol/control'
import { z } from 'zod'
import type { ForgeUser } from '../accounts/accounts.ts'
import { cappedFetch, type ForgeLimits, forgeCaps } from './capped-fetch.ts'

/** A repository as the forge shows it to who asks. */
export interface FoundRepo {
  readonly owner: string
  readonly name: string
  readonly description: string | null
  readonly private: boolean
  readonly pushedAt: string | null
}

/** What is read of its answers; the rest is not looked at. */
const rawUser = z.object({
  id: z.int(),
  login: z.string().max(200),
  name: z.string().max(1000).nullish(),
  avatar_url: z.string().max(2000).nullish(),
})
const rawRepo = z.object({
  owner: z.object({ login: z.string().max(200) }),
  name: z.string().max(200),
  description: z.string().max(5000).nullish(),
  private: z.boolean(),
  pushed_at: z.string().max(100).nullish(),
})
const rawCommit = z.object({ sha: z.string().max(100), commit: z.object({ message: z.string() }) })

/** As many as GitHub gives at once. */
const perPage = 100

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
  private readonly limits: ForgeLimits

  constructor(forge: ForgeEntry, token: string | undefined, limits: ForgeLimits) {
    this.limits = limits
    this.host = forge.host
    this.octokit = new Octokit({
      baseUrl: forge.api ?? '',
      ...(token ? { auth: token } : {}),
      log: quiet,
      request: { fetch: fetchWith(limits) },
    })
  }

  async user(): Promise<ForgeUser> {
    return this.asked(async () => userOf((await this.octokit.request('GET /user')).data))
  }

  /** Whose login it is now. Undefined: nobody's. */
  async account(username: string): Promise<ForgeUser | undefined> {
    return this.unlessMissing(async () => userOf((await this.octokit.request('GET /users/{username}', { username })).data))
  }

  /** One's own, those pushed to last first, at most `limits.repositories`; `cut`: there may be more. */
  async repos(): Promise<{ all: readonly FoundRepo[]; cut: boolean }> {
    const all: FoundRepo[] = []
    const most = this.limits.repositories
    let ended = false
    for (let page = 1; all.length < most && !ended; page += 1) {
      const asking = () => this.octokit.request('GET /user/repos', { per_page: perPage, page, sort: 'pushed' })
      const part = await this.asked(async () =>
        z
          .array(rawRepo)
          .max(perPage)
          .parse((await asking()).data),
      )
      all.push(...part.map(found))
      ended = part.length < perPage
    }
    return { all: all.slice(0, most), cut: !ended || all.length > most }
  }

  /** Undefined: not there, or not to be seen. */
  async repo(owner: string, repo: string): Promise<FoundRepo | undefined> {
    return this.unlessMissing(async () =>
      found(rawRepo.parse((await this.octokit.request('GET /repos/{owner}/{repo}', { owner, repo })).data)),
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
      const { sha, commit } = rawCommit.parse(data)
      return { sha, message: commit.message.split('\n')[0] ?? '' }
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

const userOf = (data: unknown): ForgeUser => {
  const { id, login, name, avatar_url } = rawUser.parse(data)
  return { subject: String(id), login, name: name ?? null, avatar: avatar_url ?? null }
}

const found = ({ owner, name, description, private: isPrivate, pushed_at }: z.infer<typeof rawRepo>): FoundRepo => ({
  owner: owner.login,
  name,
  description: description ?? null,
  private: isPrivate,
  pushedAt: pushed_at ?? null,
})

const fetchWith = (limits: ForgeLimits) => (url: string | URL, init?: RequestInit) => cappedFetch(url, init, forgeCaps(limits))

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
