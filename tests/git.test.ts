import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { processesWith } from '@origami/host/process-groups'
import { type ForgeEntry, parseRepoLink } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { GitSource } from '../packages/daemon/src/source/git.ts'
import { type FetchRequest, SourceError } from '../packages/daemon/src/source/source.ts'
import { type FakeGithub, startFakeGithub } from './fake-github/fake-github.ts'

const whole = new AbortController().signal
const roomy = { bytes: 10 * 1024 ** 2, files: 1000, pathBytes: 1000, memoryBytes: 2 * 1024 ** 3, cpuMs: 60_000 }

const owner = randomId()

describe('code comes from git', () => {
  let github: FakeGithub
  let work: string
  beforeAll(async () => {
    github = await startFakeGithub()
    work = await mkdtemp(join(tmpdir(), 'origami-git-'))
  })
  afterAll(async () => {
    await github[Symbol.asyncDispose]()
    await rm(work, { recursive: true, force: true })
  })

  /** A repository with these files (a target after `->` makes a link). */
  const pushed = async (name: string, files: Record<string, string>) => {
    const folder = await mkdtemp(join(work, 'push-'))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await (text.startsWith('->') ? symlink(text.slice(2), join(folder, path)) : writeFile(join(folder, path), text))
    }
    await github.repo('ann', name, { private: false })
    await github.push('ann', name, folder, `${name} in one line\n\nand more`)
    return link(name)
  }
  const link = (name: string, forge: ForgeEntry = github.forge) =>
    parseRepoLink(`https://${forge.host}/ann/${name}`, [forge])
  const source = () => new GitSource({ work, owner, environment: process.env })
  const request = async (repo: ReturnType<typeof link>, change: Partial<FetchRequest> = {}): Promise<FetchRequest> => ({
    repo,
    into: await mkdtemp(join(work, 'into-')),
    limits: roomy,
    onLog: () => {},
    ...change,
  })
  const fetched = async (repo: ReturnType<typeof link>, change: Partial<FetchRequest> = {}) => {
    const asked = await request(repo, change)
    return { into: asked.into, ...(await source().fetch(asked, whole)) }
  }
  const refusal = async (repo: ReturnType<typeof link>, limits = roomy) => {
    const error: unknown = await fetched(repo, { limits }).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(SourceError)
    return (error as SourceError).message
  }

  test("a commit's tree, with the first line of its message and without .git", async () => {
    const { into, message } = await fetched(
      await pushed('plain', { 'model.py': 'x', 'deep/er/file': 'y', here: '->model.py' }),
    )
    expect(message).toBe('plain in one line')
    expect((await readdir(into)).toSorted()).toEqual(['deep', 'here', 'model.py'])
    expect(await readFile(join(into, 'deep/er/file'), 'utf8')).toBe('y')
  })

  test('the newest commit, or an older one that is named', async () => {
    const repo = await pushed('twice', { 'model.py': 'first' })
    const first = await fetched(repo)
    await pushed('twice', { 'model.py': 'second' })
    const second = await fetched(repo)
    expect(await readFile(join(second.into, 'model.py'), 'utf8')).toBe('second')
    expect(second.commit).not.toBe(first.commit)
    const again = await fetched(repo, { commit: first.commit })
    expect(again.commit).toBe(first.commit)
    expect(await readFile(join(again.into, 'model.py'), 'utf8')).toBe('first')
  })

  test('a link that leads out of the repository is refused', async () => {
    for (const target of ['/etc/passwd', '../../outside', 'deep/../../x'])
      expect(await refusal(await pushed(`link${target.length}`, { 'deep/a': '', leak: `->${target}` }))).toContain(
        '"leak" is a link that leads out',
      )
  })

  test('a tree above the limits is refused', async () => {
    const repo = await pushed('large', { a: 'x'.repeat(5000), b: '', c: '' })
    expect(await refusal(repo, { ...roomy, bytes: 1000 })).toContain('too large: expected at most 1000 bytes')
    expect(await refusal(repo, { ...roomy, files: 2 })).toContain('expected at most 2 ')
  })

  test('no repository, and one without a commit, are told apart', async () => {
    expect(await refusal(link('nothing'))).toContain('was not found')
    await github.repo('ann', 'empty', { private: false })
    expect(await refusal(link('empty'))).toContain('has no commit yet')
  })

  test('a submodule is not fetched', async () => {
    const modules = '[submodule "lib"]\n\tpath = lib\n\turl = http://127.0.0.1:1/never.git\n'
    expect(await readdir((await fetched(await pushed('modules', { '.gitmodules': modules }))).into)).toEqual([
      '.gitmodules',
    ])
  })

  test('a redirect is not followed, and where it leads sees nothing', async () => {
    const asked: string[] = []
    await using other = await listening((request, response) => {
      asked.push(request.url ?? '')
      response.end()
    })
    await using forge = await listening((request, response) =>
      response.writeHead(302, { location: other.url + request.url }).end(),
    )
    const repo = link('moved', { ...github.forge, git: forge.url })
    await expect(source().fetch(await request(repo, { token: 'gho_canary' }), whole)).rejects.toThrow(SourceError)
    expect(asked).toEqual([])
  })

  test('a token goes to the forge alone, and is in no argument; a cancel ends git', async () => {
    const asked: (string | undefined)[] = []
    await using forge = await listening((request, response) => {
      asked.push(request.headers.authorization)
      if (!request.headers.authorization) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
    })
    const cancel = new AbortController()
    const repo = link('slow', { ...github.forge, git: forge.url })
    const fetching = source().fetch(await request(repo, { token: 'gho_canary' }), cancel.signal)
    fetching.catch(() => {})
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    expect(asked).toEqual([undefined, `Basic ${btoa('x-access-token:gho_canary')}`])
    const arguments_ = commandLines()
    expect(arguments_.some((line) => line.includes(forge.url))).toBe(true)
    expect(arguments_.filter((line) => line.includes('canary'))).toEqual([])
    expect(await processesWith('environ', (word) => word.startsWith(`ORIGAMI_BUILD=${owner}/`))).not.toEqual([])
    cancel.abort('canceled')
    await expect(fetching).rejects.toBe('canceled')
    await vi.waitFor(() => expect(commandLines().filter((line) => line.includes(forge.url))).toEqual([]))
    expect((await readdir(work)).filter((name) => name.startsWith('.home-'))).toEqual([])
  })
})

async function listening(listener: RequestListener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : []
    } catch {
      return []
    }
  })
}
