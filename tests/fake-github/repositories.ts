import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Grant } from './accounts.ts'

export interface Repository {
  readonly owner: string
  readonly name: string
  readonly private: boolean
  readonly folder: string
}

const author = ['-c', 'user.name=Author', '-c', 'user.email=author@origami.invalid', '-c', 'commit.gpgsign=false']
const git = (cwd: string, ...args: string[]) => execa('git', [...author, ...args], { cwd })

/** Bare repositories in a folder. */
export class Repositories {
  readonly root: string
  private readonly all = new Map<string, Repository>()

  constructor(root: string) {
    this.root = root
  }

  async make(owner: string, name: string, isPrivate: boolean): Promise<void> {
    const key = `${owner}/${name}`.toLowerCase()
    if (this.all.has(key)) return
    const folder = join(this.root, `${key}.git`)
    await mkdir(folder, { recursive: true })
    await git(folder, 'init', '-q', '--bare', '-b', 'main')
    await git(folder, 'config', 'uploadpack.allowReachableSHA1InWant', 'true')
    this.all.set(key, { owner, name, private: isPrivate, folder })
  }

  /** Undefined: the repository does not exist, or this grant may not see it. */
  find(owner: string, name: string, grant: Grant | undefined): Repository | undefined {
    const found = this.all.get(`${owner}/${name}`.toLowerCase())
    const allowed = !found?.private || (grant?.user.login === found.owner && grant.scope.split(/[ ,]/).includes('repo'))
    return allowed ? found : undefined
  }

  byOwner(grant: Grant): Repository[] {
    return [...this.all.values()].filter(
      (one) => one.owner === grant.user.login && this.find(one.owner, one.name, grant),
    )
  }

  async push(owner: string, name: string, from: string, message: string): Promise<string> {
    const repository = this.all.get(`${owner}/${name}`.toLowerCase())
    if (!repository) throw new Error(`no repository ${owner}/${name}`)
    const work = await mkdtemp(join(tmpdir(), 'origami-commit-'))
    try {
      await git(work, 'init', '-q', '-b', 'main')
      // The repository has no commit yet the first time.
      await git(work, 'fetch', '-q', repository.folder, 'main:main', '--update-head-ok').catch(() => undefined)
      await cp(from, work, { recursive: true, verbatimSymlinks: true })
      await git(work, 'add', '-A')
      await git(work, 'commit', '-q', '--allow-empty', '-m', message)
      await git(work, 'push', '-q', repository.folder, 'HEAD:refs/heads/main')
      return (await git(work, 'rev-parse', 'HEAD')).stdout
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  async head({ folder }: Repository): Promise<{ sha: string; message: string } | undefined> {
    const result = await execa('git', ['log', '-1', '--format=%H%n%s', 'main'], { cwd: folder, reject: false })
    const [sha = '', message = ''] = result.stdout.split('\n')
    return result.exitCode === 0 ? { sha, message } : undefined
  }

  async has({ folder }: Repository, path: string): Promise<boolean> {
    return (await execa('git', ['cat-file', '-e', `main:${path}`], { cwd: folder, reject: false })).exitCode === 0
  }
}
