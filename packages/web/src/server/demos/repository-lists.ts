import { canonicalLink, type Repository } from '@origami/protocol/control'
import PQueue from 'p-queue'
import type { WebLimits } from '../config.ts'
import type { Forge, FoundRepo, Grant, RepoPath, RepositoryReader } from '../forges/forge.ts'

interface CachedList {
  readonly repos: Promise<{ all: readonly FoundRepo[]; cut: boolean }>
  /** Whether `.origami` exists, by owner and name, for the repositories that were examined. */
  readonly linked: Map<string, Promise<boolean | null>>
  readonly at: number
}

/** How many repositories of a list a page shows. */
const shown = 30

/**
 * The repositories of accounts at forges. A forge is asked for the list at intervals, and whether a repository is a
 * bundle only for those that are shown.
 */
export class RepositoryLists {
  private readonly known = new Map<string, CachedList>()
  private readonly looking = new PQueue()
  private readonly limits: WebLimits

  constructor(limits: WebLimits) {
    this.limits = limits
  }

  /**
   * The repositories whose owner/name contains the text, the last pushed first. `cut`: there may be more. Throws
   * ForgeError.
   */
  async search(
    account: string,
    { entry, repositories: repositoryAccess }: Forge,
    grant: Grant,
    searched: string,
  ): Promise<{ repositories: Repository[]; cut: boolean }> {
    if (!repositoryAccess) return { repositories: [], cut: false }
    this.looking.concurrency = this.limits.forgeQuestions
    const reader = repositoryAccess.reader(grant)
    const listed = this.listed(`${account} ${entry.host} ${grant.token}`, reader)
    const { all, cut } = await listed.repos
    const wanted = all.filter((one) => `${one.owner}/${one.name}`.toLowerCase().includes(searched.toLowerCase()))
    const repositories = await Promise.all(
      wanted.slice(0, shown).map(async ({ owner, name, description, private: isPrivate, pushedAt }) => ({
        link: canonicalLink(entry, owner, name),
        owner,
        name,
        description,
        private: isPrivate,
        pushed_at: pushedAt,
        linked: await this.isLinked(listed, reader, { owner, name }),
      })),
    )
    return { repositories, cut: cut || wanted.length > shown }
  }

  private listed(key: string, reader: RepositoryReader): CachedList {
    const known = this.known.get(key)
    if (known && Date.now() - known.at < this.limits.repositoriesFreshMs) return known
    const fresh: CachedList = { repos: reader.mine(), linked: new Map(), at: Date.now() }
    this.known.delete(key)
    this.known.set(key, fresh)
    for (const oldest of this.known.keys()) if (this.known.size > this.limits.repositoryLists) this.known.delete(oldest)
    // A failed list is not kept, so that the next search asks again.
    fresh.repos.catch(() => this.known.get(key) === fresh && this.known.delete(key))
    return fresh
  }

  private async isLinked({ linked }: CachedList, reader: RepositoryReader, repo: RepoPath): Promise<boolean | null> {
    const key = `${repo.owner}/${repo.name}`
    const looked = linked.get(key) ?? this.looking.add(() => reader.has(repo, '.origami')).catch(unknown)
    linked.set(key, looked)
    return looked
  }
}

/** The list is worth showing even if the forge does not answer this for each repository. */
const unknown = (): null => null
