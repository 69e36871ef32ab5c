import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { github } from '@origami/protocol/control'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownerAccount } from '../../src/server/accounts/accounts.ts'
import { Deployers } from '../../src/server/accounts/deployers.ts'
import { SignIn } from '../../src/server/accounts/sign-in.ts'
import { defaultLimits } from '../../src/server/config.ts'
import type { Forge } from '../../src/server/forges/forge.ts'
import { Secrets } from '../../src/server/secrets.ts'
import { type Db, openStore } from '../../src/server/store/open.ts'

let folder: string
let db: Db

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-sign-in-'))
  db = await openStore(folder)
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true })
})

/** A forge where everybody is ann. */
const forge: Forge = {
  entry: github,
  signIn: {
    authorize: async ({ state }) => state,
    finish: async () => ({
      user: { subject: '7', login: 'Ann', name: null, avatar: null },
      grant: { token: 'secret', scope: '' },
    }),
  },
  people: undefined,
  repositories: undefined,
  pages: undefined,
}

const open = async () => {
  const log = () => {}
  return new SignIn({
    db,
    secrets: await Secrets.open(folder),
    forges: [forge],
    deployers: new Deployers({ db, forges: [forge], listed: ['ann'], log }),
    limits: defaultLimits,
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
