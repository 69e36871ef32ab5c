import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ForgeEntry } from '@origami/protocol/control'
import { execa } from 'execa'
import { bundle } from 'origami-lib/bundler'

const owner = 'origami'

/** The forge `examples.origami`: a folder of git repositories. */
export const examplesForge = (folder: string): ForgeEntry => ({
  host: 'examples.origami',
  kind: 'folder',
  git: pathToFileURL(folder).href,
})

/**
 * Makes a repository of each folder in `examples`, bundled as its author would do it, with a commit only when something
 * changed.
 */
export async function fillExamplesForge(examples: string, folder: string, tell: (line: string) => void): Promise<void> {
  for (const name of await examplesIn(examples)) {
    tell(`bundling examples/${name}`)
    await publish(join(examples, name), join(folder, owner, `${name}.git`))
  }
}

/** The links that the examples have in the forge. */
export async function exampleLinks(examples: string): Promise<string[]> {
  return (await examplesIn(examples)).map((name) => `https://examples.origami/${owner}/${name}`)
}

async function examplesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function publish(source: string, repository: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'origami-example-'))
  try {
    // A repository that cannot be examined is made, and an error of making it says what is wrong.
    if (!(await stat(repository).catch(() => undefined))) {
      await mkdir(repository, { recursive: true })
      await git(repository, 'init', '-q', '--bare', '-b', 'main')
    }
    await git(work, 'init', '-q', '-b', 'main')
    // A new repository has no commit to fetch.
    await git(work, 'fetch', '-q', repository, 'main:before').catch(() => undefined)
    await git(work, 'symbolic-ref', 'HEAD', 'refs/heads/before')
    await cp(source, work, {
      recursive: true,
      filter: (path) => !/node_modules|__pycache__|\.venv/.test(path.slice(source.length)),
    })
    await bundle({ folder: work, force: true, run: false, onLog: () => {} }, new AbortController().signal)
    await git(work, 'add', '-A')
    const changed = await git(work, 'status', '--porcelain')
    if (changed.stdout !== '') await git(work, 'commit', '-q', '-m', 'Example, bundled')
    await git(work, 'push', '-q', '--force', repository, 'HEAD:refs/heads/main')
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const author = ['-c', 'user.name=Origami', '-c', 'user.email=examples@origami.invalid', '-c', 'commit.gpgsign=false']
const git = (cwd: string, ...args: string[]) => execa('git', [...author, ...args], { cwd })
