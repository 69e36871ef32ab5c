import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { github } from '@origami/protocol/control'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownerAccount } from '../../src/server/accounts/accounts.ts'
import { Deployers } from '../../src/server/accounts/deployers.ts'
import { SignIn } from '../../src/server/accounts/sign-in.ts'
import { defaultLimits } from '../../src/server/config.ts'
import type { Forge, ForgeSignIn } from '../../src/server/forges/forge.ts'
import { Secrets } from '../../src/server/secrets.ts'
import { type Db, openStore } from '../../src/server/store/open.ts'

let folder: string
let db: Db

beforeEach(async () => {
  authorized.length = 0
  exchanged.length = 0
  folder = await mkdtemp(join(tmpdir(), 'origami-sign-in-'))
  db = await openStore(folder)
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true })
})

const ann = { subject: '7', login: 'Ann', name: null, avatar: null }
const bob = { subject: '8', login: 'bob', name: null, avatar: null }
/** Who somebody is at the forge by a code; everybody else is ann. */
const users = new Map([['code-of-bob', bob]])
/** What the forge was asked to send people to, and what codes were exchanged there. */
const authorized: Parameters<ForgeSignIn['authorize']>[0][] = []
const exchanged: Parameters<ForgeSignIn['finish']>[0][] = []

const forge: Forge = {
  entry: github,
  signIn: {
    authorize: async (asked) => {
      authorized.push(asked)
      return asked.state
    },
    finish: async (returned) => {
      exchanged.push(returned)
      return { user: users.get(returned.code) ?? ann, grant: { token: `token of ${returned.code}`, scope: '' } }
    },
  },
  people: undefined,
  repositories: undefined,
  pages: undefined,
}

const open = async (limits = defaultLimits, forges = [forge]) => {
  const log = () => {}
  return new SignIn({
    db,
    secrets: await Secrets.open(folder),
    forges,
    deployers: new Deployers({ db, forges: [forge], listed: ['ann'], log }),
    limits,
    callback: (host) => `http://127.0.0.1/-/callback/${host}`,
  })
}

test.each([
  ['/ann/poet?word=a#b', '/ann/poet?word=a#b'],
  ['/ann/../-/new', '/-/new'],
  ['//evil.example/', '/'],
  ['/\\evil.example/', '/'],
  ['/\t/evil.example/', '/'],
  ['/\n\\evil.example/', '/'],
  ['/.//evil.example/', '/'],
  ['/a/..//evil.example/', '/'],
  ['/\r\nset-cookie: a=b', '/set-cookie:%20a=b'],
  ['/\u0000é\ud800', '/%00%C3%A9%EF%BF%BD'],
  ['https://evil.example/', '/'],
  ['javascript:alert(1)', '/'],
  ['evil.example', '/'],
  ['', '/'],
])('a sign-in that is to come back to %j comes back to %j', async (asked, back) => {
  const signIn = await open()
  const state = await signIn.start('github.com', 'browser', '', asked)
  expect((await signIn.finish('github.com', 'browser', { code: 'c', state })).returnTo).toBe(back)
})

test.each(['none', 'of another browser', 'of another forge', 'used before', 'too old'] as const)(
  'with a state that is %s nobody is signed in, and the forge is not asked',
  async (what) => {
    const elsewhere: Forge = { ...forge, entry: { ...github, host: 'github.other' } }
    const signIn = await open(what === 'too old' ? { ...defaultLimits, signInMs: -1 } : defaultLimits, [
      forge,
      elsewhere,
    ])
    const state = await signIn.start('github.com', 'browser', '', '/')
    if (what === 'used before') await signIn.finish('github.com', 'browser', { code: 'first', state })
    const asked = exchanged.length
    const finish = signIn.finish(
      what === 'of another forge' ? 'github.other' : 'github.com',
      what === 'of another browser' ? 'other' : 'browser',
      what === 'none' ? { code: 'c' } : { code: 'c', state },
    )
    await expect(finish).rejects.toMatchObject({ statusCode: 422 })
    expect(exchanged.length).toBe(asked)
    // A state that was tried is gone, whoever tried it.
    if (what !== 'none')
      await expect(signIn.finish('github.com', 'browser', { code: 'c', state })).rejects.toMatchObject({
        statusCode: 422,
      })
  },
)

test('a code is exchanged with the verifier of the challenge that went to the forge, and the same redirect', async () => {
  const signIn = await open()
  const state = await signIn.start('github.com', 'browser', '', '/')
  await signIn.finish('github.com', 'browser', { code: 'c', state })
  const [asked, returned] = [authorized[0], exchanged[0]]
  expect(asked?.challenge).toBe(
    createHash('sha256')
      .update(returned?.verifier ?? '')
      .digest('base64url'),
  )
  expect(returned?.redirect).toBe(asked?.redirect)
  expect(asked?.redirect).toBe('http://127.0.0.1/-/callback/github.com')
})

test('who comes back as somebody else at the forge is somebody else here, and gives nothing to who began', async () => {
  const signIn = await open()
  const end = async (code: string) => {
    const state = await signIn.start('github.com', 'browser', '', '/')
    return (await signIn.finish('github.com', 'browser', { code, state })).account
  }
  const [first, swapped] = [await end('code-of-ann'), await end('code-of-bob')]
  expect([first.handle, swapped.handle]).toEqual(['ann', 'bob'])
  expect(await signIn.grantAt(first, 'github.com')).toMatchObject({ token: 'token of code-of-ann' })
  expect(await signIn.grantAt(swapped, 'github.com')).toMatchObject({ token: 'token of code-of-bob' })
})

test('two sign-ins of somebody new that end at once are of one account, which its next sign-in finds', async () => {
  const signIn = await open()
  const begin = () => signIn.start('github.com', 'browser', '', '/')
  const end = async (state: string) => (await signIn.finish('github.com', 'browser', { code: 'c', state })).account
  const [first, second] = await Promise.all([await begin(), await begin()].map(end))
  expect(second).toEqual(first)
  expect(await end(await begin())).toEqual(first)
  expect(first?.handle).toBe('ann')
})

test("two of the owner's links that are used at once sign in one owner", async () => {
  const now = '2026-01-01T00:00:00.000Z'
  const [first, second] = await Promise.all([ownerAccount(db, now), ownerAccount(db, now)])
  expect(second).toEqual(first)
})
