import { Octokit } from '@octokit/core'
import { z } from 'zod'
import { cappedFetch, type ForgeLimits, forgeCaps } from './capped-fetch.ts'
import { type ForgeUser, type FoundRepo, forgeError, type RepoPath, type RepositoryReader } from './forge.ts'

/** The fields of its answers that are used. Others are ignored. */
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

/** The largest page that GitHub gives. */
const perPage = 100

interface GithubApiParts {
  readonly host: string
  /** `https://api.github.com`. */
  readonly api: string
  /** Without a token it asks as an anonymous caller. */
  readonly token: string | undefined
  readonly limits: ForgeLimits
}

/** GitHub's REST API, at github.com or at any forge that implements it. Throws ForgeError. */
export class GithubApi implements RepositoryReader {
  private readonly octokit: Octokit
  private readonly host: string
  private readonly limits: ForgeLimits

  constructor({ host, api, token, limits }: GithubApiParts) {
    this.limits = limits
    this.host = host
    this.octokit = new Octokit({
      baseUrl: api,
      ...(token ? { auth: token } : {}),
      log: quiet,
      request: { fetch: fetchWith(limits) },
    })
  }

  /** The account that the token belongs to. */
  async user(): Promise<ForgeUser> {
    return this.asked(async () => userOf((await this.octokit.request('GET /user')).data))
  }

  /** The account that has this login now. Undefined: nobody has it. */
  async account(username: string): Promise<ForgeUser | undefined> {
    return this.unlessMissing(async () => {
      const { data } = await this.octokit.request('GET /users/{username}', { username })
      return userOf(data)
    })
  }

  async mine(): Promise<{ all: readonly FoundRepo[]; cut: boolean }> {
    const all: FoundRepo[] = []
    const most = this.limits.repositories
    let ended = false
    for (let page = 1; all.length < most && !ended; page += 1) {
      const part = await this.asked(async () => {
        const { data } = await this.octokit.request('GET /user/repos', { per_page: perPage, page, sort: 'pushed' })
        return z.array(rawRepo).max(perPage).parse(data)
      })
      all.push(...part.map(found))
      ended = part.length < perPage
    }
    return { all: all.slice(0, most), cut: !ended || all.length > most }
  }

  async find({ owner, name: repo }: RepoPath): Promise<FoundRepo | undefined> {
    return this.unlessMissing(async () => {
      const { data } = await this.octokit.request('GET /repos/{owner}/{repo}', { owner, repo })
      return found(rawRepo.parse(data))
    })
  }

  async has({ owner, name: repo }: RepoPath, path: string): Promise<boolean> {
    const there = await this.unlessMissing(async () => {
      await this.octokit.request('GET /repos/{owner}/{repo}/contents/{path}', { owner, repo, path })
      return true
    })
    return there ?? false
  }

  async head({ owner, name: repo }: RepoPath): Promise<{ sha: string; message: string } | undefined> {
    return this.unlessMissing(async () => {
      const asked = { owner, repo, ref: 'HEAD' }
      const { data } = await this.octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', asked)
      const { sha, commit } = rawCommit.parse(data)
      return { sha, message: commit.message.split('\n')[0] ?? '' }
    })
  }

  private async unlessMissing<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await ask()
    } catch (error) {
      // GitHub answers 409 for a repository without commits.
      if ([404, 409].includes(statusOf(error) ?? 0)) return undefined
      throw forgeError(this.host, statusOf(error), error)
    }
  }

  private async asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    return ask().catch((error: unknown) => {
      throw forgeError(this.host, statusOf(error), error)
    })
  }
}

/** The HTTP status of a failed request. Undefined when there was no answer, or none that can be parsed. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : undefined

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

const fetchWith = (limits: ForgeLimits) => (url: string | URL, init?: RequestInit) =>
  cappedFetch(url, init, forgeCaps(limits))

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
