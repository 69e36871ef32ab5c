import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileRef } from '@origami/protocol/demo'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploymentsOf } from '../../src/store/deployments.ts'
import { eventsAfter } from '../../src/store/events.ts'
import { migrations } from '../../src/store/migrations.ts'
import { type Db, openStore } from '../../src/store/open.ts'
import { filesOf, isWanted } from '../../src/store/prediction-files.ts'
import { at, demo } from './in-memory.ts'

let folder: string
let before: Kysely<Record<string, Record<string, unknown>>>
let opened: Db | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-migrations-'))
  before = await databaseOfFirstVersion()
  await before
    .insertInto('demos')
    .values({ id: demo, user_id: 'ann', repolink: 'x', want: 'on', created_at: at })
    .execute()
})
afterEach(async () => {
  await before.destroy()
  await opened?.destroy()
  await rm(folder, { recursive: true, force: true })
})

async function databaseOfFirstVersion(): Promise<typeof before> {
  const database = new Database(join(folder, 'daemon.db'))
  const db: typeof before = new Kysely({ dialect: new SqliteDialect({ database }) })
  const { '001-first': first } = await migrations.getMigrations()
  if (!first) throw new Error('the first migration is gone')
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ '001-first': first }) } })
  expect((await migrator.migrateToLatest()).error).toBeUndefined()
  return db
}

async function migrated(): Promise<Db> {
  await before.destroy()
  opened = await openStore(folder)
  return opened
}

test('the files that predictions of the first version name are known, by the side that names them', async () => {
  const [asked, made, done] = ['a', 'b', 'c'].map((letter) => fileRef(letter.repeat(16), 'a.txt'))
  const common = { demo_id: demo, visitor: 'ann', created_at: at }
  const ended = { status: 'succeeded', output: JSON.stringify({ made, said: 'x' }), completed_at: at }
  for (const values of [
    { ...common, id: 'waits', status: 'starting', input: JSON.stringify({ file: asked }) },
    { ...common, ...ended, id: 'ended', input: JSON.stringify({ file: done }) },
  ])
    await before.insertInto('predictions').values(values).execute()

  const db = await migrated()
  expect([await filesOf(db, 1), (await filesOf(db, 2)).toSorted()]).toEqual([[asked], [made, done]])
  const wanted = await Promise.all(['a', 'b', 'c'].map((letter) => isWanted(db, letter.repeat(16))))
  expect(wanted).toEqual([true, true, false])
})

test('what the first version spelled cancelled reads as canceled, in steps and events as well', async () => {
  const steps = ['queued', 'cloning', 'cancelled'].map((state) => ({ state, at }))
  const common = { demo_id: demo, created_at: at, updated_at: at }
  const failed = { state: 'build_failed', reason: 'it was cancelled', steps: JSON.stringify(steps.slice(0, 2)) }
  for (const values of [
    { ...common, id: 'one', state: 'cancelled', reason: 'cancelled', steps: JSON.stringify(steps) },
    { ...common, ...failed, id: 'two' },
  ])
    await before.insertInto('deployments').values(values).execute()
  const change = { from_state: 'cloning', to_state: 'cancelled', reason: 'cancelled' }
  await before
    .insertInto('events')
    .values({ ...change, demo, deployment: 'one', at })
    .execute()

  const db = await migrated()
  const [one, two] = (await deploymentsOf(db, demo, 2)).toSorted((a, b) => a.id.localeCompare(b.id))
  expect([one?.state, one?.reason]).toEqual(['canceled', 'canceled'])
  expect(one?.steps.map(({ state }) => state)).toEqual(['queued', 'cloning', 'canceled'])
  expect([two?.state, two?.reason, two?.steps.length]).toEqual(['build_failed', 'it was cancelled', 2])
  const [event] = await eventsAfter(db, 0, 10)
  expect([event?.from, event?.to, event?.reason]).toEqual(['cloning', 'canceled', 'canceled'])
})
