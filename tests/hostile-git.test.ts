import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ForgeEntry, parseRepoLink } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitSource } from '../packages/daemon/src/source/git.ts'
import { type FetchLimits, SourceError } from '../packages/daemon/src/source/source.ts'

const roomy: FetchLimits = {
  bytes: 50 * 1024 ** 2,
  files: 50_000,
  pathBytes: 1024,
  memoryBytes: 2 * 1024 ** 3,
  cpuMs: 60_000,
}
const whole = new AbortController().signal
const author = {
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@b.invalid',
  GIT_COMMITTER_NAME: 'A',
  GIT_COMMITTER_EMAIL: 'a@b.invalid',
}

/** A bare repository whose objects are written one by one, as no honest program would. */
class Objects {
  private readonly folder: string
  constructor(folder: string) {
    this.folder = folder
  }
  async git(args: string[], input: string | Buffer = ''): Promise<string> {
    return (await execa('git', args, { cwd: this.folder, input, env: author })).stdout
  }
  async open(): Promise<this> {
    await mkdir(this.folder, { recursive: true })
    await this.git(['init', '-q', '--bare', '-b', 'main'])
    return this
  }
  blob(content: string | Buffer): Promise<string> {
    return this.git(['hash-object', '-w', '--stdin'], content)
  }
  tree(...entries: [mode: string, object: string, name: string][]): Promise<string> {
    const type = (mode: string) => ({ '040000': 'tree', '160000': 'commit' })[mode] ?? 'blob'
    const lines = entries.map(([mode, object, name]) => `${mode} ${type(mode)} ${object}\t${name}\0`)
    return this.git(['mktree', '-z', '--missing'], lines.join(''))
  }
  /** A tree of any content, without a check. */
  rawTree(...entries: [mode: string, object: string, name: string][]): Promise<string> {
    const content = entries.flatMap(([mode, object, name]) => [
      Buffer.from(`${mode} ${name}\0`),
      Buffer.from(object, 'hex'),
    ])
    return this.git(['hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], Buffer.concat(content))
  }
  async commit(tree: string): Promise<void> {
    const commit = await this.git(['commit-tree', tree, '-m', 'hostile'])
    await this.git(['update-ref', 'refs/heads/main', commit])
  }
}

describe('a repository made to harm', () => {
  let folder: string
  let forge: ForgeEntry
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-hostile-git-'))
    await mkdir(join(folder, 'work'))
    forge = { host: 'folder.test', kind: 'folder', git: pathToFileURL(join(folder, 'forge')).href }
  })
  afterAll(async () => rm(folder, { recursive: true, force: true }))

  const objects = (name: string) => new Objects(join(folder, 'forge/ann', `${name}.git`)).open()
  const fetched = async (
    name: string,
    limits: Partial<FetchLimits> = {},
    from = forge,
    lookUp?: () => Promise<{ address: string }[]>,
  ) => {
    const into = await mkdtemp(join(folder, 'into-'))
    const log: string[] = []
    const source = new GitSource({
      work: join(folder, 'work'),
      owner: randomId(),
      environment: process.env,
      ...(lookUp && { lookUp }),
    })
    const request = {
      repo: parseRepoLink(`https://${from.host}/ann/${name}`, [from]),
      into,
      limits: { ...roomy, ...limits },
      onLog: ({ text }: { text: string }) => void log.push(text),
    }
    const error: unknown = await source.fetch(request, whole).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    if (error !== undefined) expect(error).toBeInstanceOf(SourceError)
    return { into, log, reason: error instanceof Error ? error.message : undefined, files: await readdir(into) }
  }

  test.each([
    ['files', 'a', 'too many files and folders: expected at most 50000'],
    ['folders without a file', undefined, 'too many files and folders: expected at most 50000'],
  ])('by ten million %s of a few objects is refused before one of them is written', async (_what, content, reason) => {
    const name = `bomb-${content ?? 'empty'}`
    const repository = await objects(name)
    let tree =
      content === undefined
        ? await repository.tree()
        : await repository.tree(...ten('100644', await repository.blob(content)))
    for (let level = 0; level < 6; level += 1) tree = await repository.tree(...ten('040000', tree))
    await repository.commit(tree)
    const { reason: said, files } = await fetched(name)
    expect(said).toContain(reason)
    expect(files).toEqual(['.git'])
  })

  test('by a large file that packs small is refused before it is written', async () => {
    const repository = await objects('zeros')
    await repository.commit(
      await repository.tree(['100644', await repository.blob(Buffer.alloc(60 * 1024 ** 2)), 'model.bin']),
    )
    const { reason, files } = await fetched('zeros')
    expect(reason).toContain('too large: expected at most 52428800 bytes')
    expect(files).toEqual(['.git'])
  })

  test('by what git would do to its files: they have the bytes that the commit holds', async () => {
    const repository = await objects('attributes')
    const attributes = '* text eol=crlf ident working-tree-encoding=UTF-32 filter=lfs\n'
    await repository.commit(
      await repository.tree(
        ['100644', await repository.blob(attributes), '.gitattributes'],
        ['100644', await repository.blob('$Id$\n'.repeat(100)), 'model.py'],
      ),
    )
    const { reason, into } = await fetched('attributes')
    expect(reason).toBeUndefined()
    expect(await readFile(join(into, 'model.py'), 'utf8')).toBe('$Id$\n'.repeat(100))
  })

  test('by a pack that is larger than a tree may be ends git, and says so', async () => {
    const repository = await objects('noise')
    const noise = Buffer.alloc(65 * 1024 ** 2 + 2048)
    for (let at = 0; at < noise.length; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536))
    await repository.commit(await repository.tree(['100644', await repository.blob(noise), 'model.bin']))
    expect((await fetched('noise', { bytes: 1024 })).reason).toContain('too large: expected at most 1024 bytes')
  })

  test('by more work or memory than git may have ends git, and says so', async () => {
    const repository = await objects('work')
    await repository.commit(
      await repository.tree(['100644', await repository.blob(Buffer.alloc(40 * 1024 ** 2)), 'model.bin']),
    )
    expect((await fetched('work', { memoryBytes: 32 * 1024 ** 2 })).reason).toContain('`limits.git_memory`')
  })

  test.each([
    ['a name of 4096 characters', 'x'.repeat(4096)],
    ['a name of 300 characters', 'x'.repeat(300)],
  ])('with %s is refused', async (_what, name) => {
    const repository = await objects(`name-${name.length}`)
    await repository.commit(await repository.tree(['100644', await repository.blob('x'), name]))
    const { reason, files } = await fetched(`name-${name.length}`)
    expect(reason).toContain('a path that is too long')
    expect(reason?.length).toBeLessThan(300)
    expect(files).toEqual(['.git'])
  })

  test('with a pipe or a device: git has no such thing, and takes what claims to be one for a submodule', async () => {
    for (const mode of ['10644', '20644', '60644']) {
      const repository = await objects(`mode-${mode}`)
      await repository.commit(await repository.rawTree([mode, await repository.blob('x'), 'pipe']))
      const { log, into } = await fetched(`mode-${mode}`)
      expect(log.join('\n')).toContain('"pipe" is a submodule, which is not fetched')
      expect(await readdir(join(into, 'pipe'))).toEqual([])
    }
  })

  test('with a .git of its own is refused', async () => {
    const repository = await objects('dot-git')
    const hooks = await repository.tree(['100755', await repository.blob('#!/bin/sh\n'), 'post-checkout'])
    await repository.commit(await repository.rawTree(['40000', hooks, '.GIT']))
    expect((await fetched('dot-git')).reason).toContain('.git')
  })

  test('with names that differ by their capitals alone: all of them are there', async () => {
    const repository = await objects('capitals')
    const [one, two] = [await repository.blob('one'), await repository.blob('two')]
    await repository.commit(await repository.tree(['100644', one, 'Model.py'], ['100644', two, 'model.py']))
    expect((await fetched('capitals')).files.toSorted()).toEqual(['Model.py', 'model.py'])
  })

  test('with submodules: they are not fetched, and the log says so', async () => {
    const repository = await objects('submodules')
    const modules = '[submodule "lib"]\n\tpath = lib\n\turl = http://127.0.0.1:1/never.git\n'
    await repository.commit(
      await repository.tree(
        ['100644', await repository.blob(modules), '.gitmodules'],
        ['160000', 'a'.repeat(40), 'lib'],
      ),
    )
    const { reason, log, into } = await fetched('submodules')
    expect(reason).toBeUndefined()
    expect(log).toContain('"lib" is a submodule, which is not fetched: its folder is empty')
    expect(await readdir(join(into, 'lib'))).toEqual([])
  })

  test('with a pointer of Git LFS where a file should be is refused, with what to do', async () => {
    const repository = await objects('pointer')
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`
    const weights = await repository.tree(['100644', await repository.blob(pointer), 'model.bin'])
    await repository.commit(await repository.tree(['040000', weights, 'weights']))
    expect((await fetched('pointer')).reason).toMatch(
      /^"weights\/model.bin": only pointers of Git LFS .*commit the files/,
    )
  })

  test('at a forge whose name means this machine: git is not started', async () => {
    const asked: string[] = []
    await using other = await listening((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(404).end()
    })
    const local = { ...forge, host: 'code.test', git: `http://localhost:${other.port}` }
    expect((await fetched('any', {}, local)).reason).toContain('localhost is not a public address')
    expect(asked).toEqual([])
    const trusted = { ...local, networks: ['127.0.0.0/8', '::1/128'] }
    expect((await fetched('any', {}, trusted)).reason).toContain('was not found')
    expect(asked).not.toEqual([])
  })

  test('at a forge whose name would mean another machine a moment later: git goes where was looked', async () => {
    const asked: string[] = []
    await using other = await listening((request, response) => {
      asked.push(request.headers.host ?? '')
      response.writeHead(404).end()
    })
    const named = { ...forge, host: 'code.test', git: `http://code.invalid:${other.port}`, networks: ['127.0.0.0/8'] }
    expect((await fetched('any', {}, named, async () => [{ address: '127.0.0.1' }])).reason).toContain('was not found')
    expect(asked[0]).toBe(`code.invalid:${other.port}`)
  })
})

const ten = (mode: string, object: string): [string, string, string][] =>
  Array.from({ length: 10 }, (_, index) => [mode, object, `n${index}`])

async function listening(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
