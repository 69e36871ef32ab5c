import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Slices } from '@origami/host/slices'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeviceCodes } from '../src/server/accounts/device-codes.ts'
import { addAuditEntry, sweepAudit } from '../src/server/store/audit.ts'
import { addDeviceCode, sweepDeviceCodes } from '../src/server/store/device-codes.ts'
import { type Db, openStore } from '../src/server/store/open.ts'
import { addSession, sweepSessions } from '../src/server/store/sessions.ts'
import { addSignIn, sweepSignIns } from '../src/server/store/sign-ins.ts'

const [old, now, later] = ['2026-01-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '9999-01-01T00:00:00.000Z'] as const
const asking = { host: 'laptop', agent: 'origami', address: '127.0.0.1' }
let folder: string
let db: Db

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-sweeps-'))
  db = await openStore(folder)
  await db
    .insertInto('accounts')
    .values({ id: 'ann', handle: 'ann', name: null, avatar: null, created_at: old })
    .execute()
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true })
})

const startedSignIn = (hash: string, expires_at: string) =>
  addSignIn(db, { hash, visitor: 'v', forge: 'github.test', verifier: 'x', scope: '', return_to: '/', expires_at })

test.each([
  [
    'sessions',
    (hash: string, at: string) => addSession(db, hash, 'ann', at, { agent: null, address: null }),
    sweepSessions,
  ],
  ['oauth_states', startedSignIn, sweepSignIns],
  [
    'device_codes',
    (hash: string, at: string) => addDeviceCode(db, { hash, user_hash: hash }, asking, at),
    sweepDeviceCodes,
  ],
] as const)('of %s the old ones go, never more of them at once than a slice has', async (table, add, sweep) => {
  for (let index = 0; index < 25; index += 1) await add(`old-${index}`, old)
  await add('new', later)
  const went: number[] = []
  await new Slices({ most: () => 10, clock: () => 0 }).run(table, undefined, async (rows) => {
    went.push(await sweep(db, now, rows))
    return went.at(-1) ?? 0
  })
  expect(went).toEqual([1, 2, 4, 8, 10, 0])
  expect(await db.selectFrom(table).select('hash').execute()).toEqual([{ hash: 'new' }])
})

test('an aborted sweep leaves what is left to the next', async () => {
  for (let index = 0; index < 3; index += 1)
    await addDeviceCode(db, { hash: `${index}`, user_hash: `${index}` }, asking, old)
  const codes = new DeviceCodes(db, { deviceCodes: 10 })
  await codes.sweep(new Slices(), AbortSignal.abort())
  expect(await db.selectFrom('device_codes').select('hash').execute()).toHaveLength(3)
  await codes.sweep(new Slices())
  expect(await db.selectFrom('device_codes').select('hash').execute()).toEqual([])
})

test('rows of the audit log go once they are too old, and never before', async () => {
  const row = { account_id: null, account: null, by: 'command', address: null, request: null, object: null }
  const rest = { before: null, after: null, failure: null }
  for (const at of [old, now, later]) await addAuditEntry(db, { ...row, ...rest, action: 'addDeployer', at })
  expect(await sweepAudit(db, now, 10)).toBe(2)
  expect(await db.selectFrom('audit').select('at').execute()).toEqual([{ at: later }])
  await expect(db.updateTable('audit').set({ by: 'session' }).execute()).rejects.toThrow('is never changed')
})
