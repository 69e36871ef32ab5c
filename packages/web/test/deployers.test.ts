import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { expect, test, vi } from 'vitest'
import { accountOf } from '../src/server/accounts/accounts.ts'
import { Deployers } from '../src/server/accounts/deployers.ts'
import { defaultLimits } from '../src/server/config.ts'
import { openForges } from '../src/server/forges/forges.ts'
import { type Db, openStore } from '../src/server/store/open.ts'

test('who may deploy is looked up once the database answers, however it failed at the start', async () => {
  await using opened = new AsyncDisposableStack()
  const db = await openDb(opened)
  const forge = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"id":7,"login":"ann"}')
  }).listen(0, '127.0.0.1')
  await once(forge, 'listening')
  opened.defer(() => void forge.close().closeAllConnections())
  const api = `http://127.0.0.1:${(forge.address() as AddressInfo).port}`
  const entries = [{ host: 'github.test', kind: 'github', git: api, api } as const]
  const logged: string[] = []
  const log = (message: string) => void logged.push(message)
  const forges = openForges({ entries, apps: {}, limits: defaultLimits, log })
  const leaving = new AbortController()
  await sql`ALTER TABLE deployer_seeds RENAME TO away`.execute(db)
  const seeding = new Deployers({ db, forges, listed: ['ann'], log }).seed(leaving.signal)
  opened.defer(() => seeding)
  opened.defer(() => leaving.abort())
  await vi.waitFor(() => expect(logged).toEqual(['Who may deploy could not be read; it is tried again.']))
  await sql`ALTER TABLE away RENAME TO deployer_seeds`.execute(db)
  const deployers = () => db.selectFrom('deployers').selectAll().execute()
  await vi.waitFor(async () => expect(await deployers()).toEqual([{ forge: 'github.test', subject: '7' }]))
})

test('who is listed where no forge tells whose a login is, may deploy once they have signed in there', async () => {
  await using opened = new AsyncDisposableStack()
  const db = await openDb(opened)
  const web = 'https://login.test'
  const [whole] = openForges({
    entries: [{ host: 'login.test', kind: 'github', git: web, web, api: web }],
    apps: { 'login.test': { clientId: 'id', clientSecret: 'secret' } },
    limits: defaultLimits,
    log: () => {},
  })
  if (!whole) throw new Error('no forge was opened')
  const onlySignIn = { ...whole, people: undefined, repositories: undefined, pages: undefined }
  const logged: string[] = []
  const log = (message: string) => void logged.push(message)
  const deployers = new Deployers({ db, forges: [onlySignIn], listed: ['login.test/Ann'], log })
  await deployers.seed(new AbortController().signal)
  const ann = { login: 'ann', subject: '7', name: null, avatar: null }
  const account = await accountOf(db, 'login.test', ann, new Date().toISOString())
  const identity = {
    forge: 'login.test',
    subject: '7',
    account: account.id,
    login: 'ann',
    token: Buffer.of(),
    scope: '',
  }
  await db.insertInto('identities').values(identity).execute()
  expect(await deployers.mayDeploy(account)).toBe(false)
  await deployers.seen('login.test', ann)
  expect(await deployers.mayDeploy(account)).toBe(true)
  expect(logged).toEqual([])
})

async function openDb(opened: AsyncDisposableStack): Promise<Db> {
  const folder = await mkdtemp(join(tmpdir(), 'origami-deployers-'))
  opened.defer(() => rm(folder, { recursive: true }))
  const db = await openStore(folder)
  opened.defer(() => db.destroy())
  return db
}
