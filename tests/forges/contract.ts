import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalLink, parseRepoLink } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GitSource } from '../../packages/daemon/src/source/git.ts'
import { SourceError } from '../../packages/daemon/src/source/source.ts'
import { CodeRefused, type Forge, type Grant } from '../../packages/web/src/server/forges/forge.ts'

export type Capability = Exclude<keyof Forge, 'entry'>

/** A repository with `.origami` in its root, at this commit. */
export interface PushedRepository {
  readonly owner: string
  readonly name: string
  readonly commit: string
  /** The first line of the commit's message. */
  readonly message: string
}

/** A real forge, with repositories in it. */
export interface ForgeUnderTest extends AsyncDisposable {
  /** Opens the forge with an OAuth app, if its kind has such apps. */
  readonly forge: Forge
  readonly open: PushedRepository
  /** A private repository of the person who signs in, if the kind of forge has private ones. */
  readonly secret?: PushedRepository
  /** Says yes on the forge's page. Answers where the browser is sent. */
  approve(page: string): Promise<string>
  /** Revokes everything that was granted so far. */
  revoke(): void
}

const redirect = 'http://127.0.0.1:8000/-/callback/forge'
const whole = new AbortController().signal

/** Holds a kind of forge to what the others rely on. `can`: the capabilities that this one has. */
export function forgeContract(kind: string, can: readonly Capability[], start: () => Promise<ForgeUnderTest>): void {
  describe(`a forge of kind ${kind}`, () => {
    let under: ForgeUnderTest
    beforeAll(async () => {
      under = await start()
    })
    afterAll(async () => under[Symbol.asyncDispose]())

    test('can do what its kind can, and leaves the rest undefined', () => {
      const { entry: _, ...all } = under.forge
      expect(Object.keys(all).filter((name) => all[name as Capability] !== undefined)).toEqual(can)
    })

    gitReads(() => under)
    if (can.includes('signIn')) signsIn(() => under)
    if (can.includes('repositories')) readsRepositories(() => under)
    if (can.includes('pages')) hasPages(() => under)
  })
}

function gitReads(under: () => ForgeUnderTest): void {
  test('has one link to a repository, however it is spelled, and git reads its newest commit there', async () => {
    const { forge, open } = under()
    const link = canonicalLink(forge.entry, open.owner, open.name)
    for (const spelled of [link, `${link}/`, `${link}.git`, `${link.slice(0, -1)}${link.slice(-1).toUpperCase()}`]) {
      const repo = parseRepoLink(spelled, [forge.entry])
      expect(repo).toMatchObject({ owner: open.owner, name: open.name, canonical: link })
      expect(await commitAt(repo)).toBe(open.commit)
    }
  })
}

function signsIn(under: () => ForgeUnderTest): void {
  test('sends a browser back with a code, which is good once, for who they are and a token', async () => {
    const { state, code, verifier, finish } = await comesBack(under(), false)
    expect(state).toBe('the state')
    const { user, grant } = await finish(code, verifier)
    expect(user.subject).toMatch(/./)
    expect(grant.token).toMatch(/./)
    await expect(finish(code, verifier)).rejects.toBeInstanceOf(CodeRefused)
  })

  test('refuses a code in words when the verifier is not that of the challenge', async () => {
    const { code, finish } = await comesBack(under(), false)
    const refusal = finish(code, 'another verifier, of another browser, that knows the code')
    await expect(refusal).rejects.toBeInstanceOf(CodeRefused)
    await expect(refusal).rejects.toThrow(`${under().forge.entry.host} refused the sign-in: `)
  })

  test('knows a person by one number: whoever signs in, and whoever has the login', async () => {
    const { people } = under().forge
    const { code, verifier, finish } = await comesBack(under(), false)
    const { user } = await finish(code, verifier)
    expect(await people?.find(user.login)).toEqual(people && user)
    expect(await people?.find('nobody-has-this-login')).toBeUndefined()
  })
}

function readsRepositories(under: () => ForgeUnderTest): void {
  test('shows anybody what is public, and its newest commit', async () => {
    const { forge, open, secret } = under()
    const reader = forge.repositories?.reader(undefined)
    expect(await reader?.find(open)).toMatchObject({ name: open.name, private: false })
    expect(await reader?.head(open)).toEqual({ sha: open.commit, message: open.message })
    expect([await reader?.has(open, '.origami'), await reader?.has(open, 'missing')]).toEqual([true, false])
    const missing = { owner: open.owner, name: 'missing' }
    for (const hidden of [missing, ...(secret ? [secret] : [])]) {
      expect(await reader?.find(hidden)).toBeUndefined()
      expect(await reader?.has(hidden, '.origami')).toBe(false)
      expect(await reader?.head(hidden)).toBeUndefined()
    }
  })

  test('shows its private repositories to who granted them alone, and git takes the token for them', async () => {
    const { forge, open, secret } = under()
    const [little, much] = [await granted(under(), false), await granted(under(), true)]
    expect([little, much].map((grant) => forge.repositories?.readsPrivate(grant))).toEqual([false, true])
    if (!secret) return
    const reader = forge.repositories?.reader(much)
    expect(await forge.repositories?.reader(little).find(secret)).toBeUndefined()
    expect(await reader?.find(secret)).toMatchObject({ name: secret.name, private: true })
    expect(await reader?.head(secret)).toEqual({ sha: secret.commit, message: secret.message })
    const { all = [], cut } = (await reader?.mine()) ?? {}
    expect([all.map(({ name }) => name).toSorted(), cut]).toEqual([[open.name, secret.name].toSorted(), false])
    const repo = parseRepoLink(canonicalLink(forge.entry, secret.owner, secret.name), [forge.entry])
    expect(await commitAt(repo, much.token)).toBe(secret.commit)
    for (const token of [undefined, little.token])
      await expect(commitAt(repo, token)).rejects.toBeInstanceOf(SourceError)
  })

  test('says that a token is worth nothing any more, so that its person is asked anew', async () => {
    const reader = under().forge.repositories?.reader(await granted(under(), true))
    under().revoke()
    await expect(reader?.mine()).rejects.toMatchObject({ name: 'ForgeError', signedOut: true })
  })
}

function hasPages(under: () => ForgeUnderTest): void {
  test('has pages of a commit and of a file, whatever the file is called', () => {
    const { forge, open } = under()
    const commit = new URL(forge.pages?.commit(open, open.commit) ?? '')
    const file = new URL(forge.pages?.file(open, open.commit, 'a folder/what?#.py') ?? '')
    for (const page of [commit, file]) {
      expect(page.href).toContain(`${forge.entry.web}/${open.owner}/${open.name}/`)
      expect(page.pathname).toContain(open.commit)
    }
    expect([file.search, file.hash, decodeURIComponent(file.pathname).endsWith('/a folder/what?#.py')]).toEqual([
      '',
      '',
      true,
    ])
  })
}

async function granted(under: ForgeUnderTest, privateRepositories: boolean): Promise<Grant> {
  const { code, verifier, finish } = await comesBack(under, privateRepositories)
  return (await finish(code, verifier)).grant
}

/** A browser that was sent to the forge, and what it comes back with. */
async function comesBack({ forge: { signIn }, approve }: ForgeUnderTest, privateRepositories: boolean) {
  if (!signIn) throw new Error('nobody signs in there')
  const verifier = randomBytes(32).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const back = new URL(
    await approve(await signIn.authorize({ state: 'the state', redirect, challenge, privateRepositories })),
  )
  return {
    state: back.searchParams.get('state'),
    code: back.searchParams.get('code') ?? '',
    verifier,
    finish: (code: string, proof: string) => signIn.finish({ code, verifier: proof, redirect }),
  }
}

async function commitAt(repo: ReturnType<typeof parseRepoLink>, token?: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'origami-forge-'))
  try {
    const source = new GitSource({ work, owner: randomId(), environment: process.env })
    const into = await mkdtemp(join(work, 'into-'))
    const limits = { bytes: 10 * 1024 ** 2, files: 1000, pathBytes: 1000, memoryBytes: 2 * 1024 ** 3, cpuMs: 60_000 }
    return (await source.fetch({ repo, token, into, limits, onLog: () => {} }, whole)).commit
  } finally {
    await rm(work, { recursive: true })
  }
}
