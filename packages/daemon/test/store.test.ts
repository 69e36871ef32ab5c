import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Slices } from '@origami/host/slices'
import {
  type DemoId,
  type DeploymentId,
  fileRef,
  type PredictionId,
  randomId,
  type VisitorId,
} from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultLimits, type Limits } from '../src/config.ts'
import { forgetResult, forgetRunsOf, sweepOld } from '../src/predictions/retention.ts'
import { deploymentsOf } from '../src/store/deployments.ts'
import { eventsAfter } from '../src/store/events.ts'
import { migrations } from '../src/store/migrations.ts'
import { type Db, openStore } from '../src/store/open.ts'
import { isWanted } from '../src/store/prediction-files.ts'
import { addPredictions } from '../src/store/predictions.ts'

const day = 86_400_000
const demo = '0'.repeat(32) as DemoId
const ann = 'ann' as VisitorId
let folder: string
let db: Db
let files: FolderFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-store-'))
  files = new FolderFiles(join(folder, 'files'), { maxFileBytes: () => 1000 })
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true, force: true })
})

const at = (ms: number) => new Date(ms).toISOString()
const addDemo = (id = demo) =>
  db
    .insertInto('demos')
    .values({ id, user_id: 'ann', repolink: 'x', want: 'on', created_at: at(0) })
    .execute()
const upload = (id: string) =>
  files.put(
    id,
    'a.txt',
    'text/plain',
    (async function* () {
      yield Buffer.from('bytes')
    })(),
  )
const id = (index: number) => `prediction-${index}` as PredictionId
const row = (index: number, more: object = {}) => ({
  id: id(index),
  demo_id: demo,
  visitor: ann,
  status: 'succeeded' as const,
  input: '{}',
  created_at: at(0),
  completed_at: at(0),
  ...more,
})
const count = async (table: 'predictions' | 'events' | 'deployments' | 'prediction_files') =>
  (
    await db
      .selectFrom(table)
      .select('rowid' as never)
      .execute()
  ).length
/** How many rows went between two turns of somebody else, while `work` was done. */
async function watched(table: 'predictions' | 'events', work: () => Promise<void>): Promise<number[]> {
  let isOver = false
  const went: number[] = []
  const watching = (async () => {
    for (let before = await count(table); !isOver; ) {
      const now = await count(table)
      if (now < before) went.push(before - now)
      before = now
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  await work()
  isOver = true
  await watching
  return went
}
/** What sweeping works with; its slices take no time, and so double until they are 10. */
function parts(overrides: Partial<Limits> = {}) {
  const limits: Limits = { ...defaultLimits, sweepRows: 10, ...overrides }
  return { db, files, limits, slices: new Slices({ most: () => limits.sweepRows, clock: () => 0 }) }
}

/** As the first version made it. */
async function databaseOfBefore(): Promise<Kysely<Record<string, Record<string, unknown>>>> {
  const database = new Database(join(folder, 'daemon.db'))
  const before = new Kysely<Record<string, Record<string, unknown>>>({ dialect: new SqliteDialect({ database }) })
  const { '001-first': first } = await migrations.getMigrations()
  if (!first) throw new Error('the first migration is gone')
  const migrator = new Migrator({ db: before, provider: { getMigrations: async () => ({ '001-first': first }) } })
  expect((await migrator.migrateToLatest()).error).toBeUndefined()
  return before
}

describe('a database of before', () => {
  test('opens, and the files of its predictions are kept and forgotten rightly', async () => {
    const before = await databaseOfBefore()
    const [asked, made, done] = ['a', 'b', 'c'].map((letter) => fileRef(letter.repeat(16), 'a.txt'))
    await before
      .insertInto('demos')
      .values({ id: demo, user_id: 'a', repolink: 'x', want: 'on', created_at: at(0) })
      .execute()
    const common = { demo_id: demo, visitor: ann, created_at: at(0) }
    for (const values of [
      { ...common, id: id(1), status: 'starting', input: JSON.stringify({ file: asked }) },
      {
        ...common,
        id: id(2),
        status: 'succeeded',
        input: JSON.stringify({ file: done }),
        output: JSON.stringify({ made, said: 'x' }),
        completed_at: at(0),
      },
    ])
      await before.insertInto('predictions').values(values).execute()
    await before.destroy()

    db = await openStore(folder)
    expect(await Promise.all(['a', 'b', 'c'].map((letter) => isWanted(db, letter.repeat(16))))).toEqual([
      true,
      true,
      false,
    ])
    for (const letter of ['a', 'b', 'c']) await upload(letter.repeat(16))
    await forgetResult(db, files, demo, ann, id(2))
    const left = await Promise.all(
      [asked, made, done].map(async (ref) => (await files.open(ref as never)) !== undefined),
    )
    expect(left).toEqual([true, false, false])
  })

  test('opens, and what was cancelled with two l reads as canceled, its steps and events too', async () => {
    const before = await databaseOfBefore()
    const times = { created_at: at(0), updated_at: at(0) }
    await before
      .insertInto('demos')
      .values({ id: demo, user_id: 'a', repolink: 'x', want: 'on', created_at: at(0) })
      .execute()
    const steps = ['queued', 'cloning', 'cancelled'].map((state) => ({ state, at: at(0) }))
    const both = { demo_id: demo, ...times }
    await before
      .insertInto('deployments')
      .values([
        { ...both, id: 'one', state: 'cancelled', reason: 'cancelled', steps: JSON.stringify(steps) },
        {
          ...both,
          id: 'two',
          state: 'build_failed',
          reason: 'it was cancelled',
          steps: JSON.stringify(steps.slice(0, 2)),
        },
      ])
      .execute()
    await before
      .insertInto('events')
      .values({ demo, deployment: 'one', from_state: 'cloning', to_state: 'cancelled', reason: 'cancelled', at: at(0) })
      .execute()
    await before.destroy()

    db = await openStore(folder)
    const [one, two] = (await deploymentsOf(db, demo, 2)).toSorted((a, b) => a.id.localeCompare(b.id))
    expect([one?.state, one?.reason]).toEqual(['canceled', 'canceled'])
    expect(one?.steps.map(({ state }) => state)).toEqual(['queued', 'cloning', 'canceled'])
    expect([two?.state, two?.reason, two?.steps.length]).toEqual(['build_failed', 'it was cancelled', 2])
    const [event] = await eventsAfter(db, 0, 10)
    expect([event?.from, event?.to, event?.reason]).toEqual(['cloning', 'canceled', 'canceled'])
  })
})

describe('what is over its time', () => {
  beforeEach(async () => {
    db = await openStore(folder)
    await addDemo()
  })

  test('goes in slices, between which others have their turn', async () => {
    await addPredictions(
      db,
      Array.from({ length: 95 }, (_, index) => ({ row: row(index), files: [] })),
    )
    const slices = await watched('predictions', () => sweepOld(parts(), 40 * day))
    expect(await count('predictions')).toBe(0)
    expect(slices.length).toBeGreaterThan(5)
    expect(Math.max(...slices)).toBe(10)
  })

  test('results and what was canceled go, what waits stays', async () => {
    const waits = row(3, { status: 'starting', completed_at: null })
    const canceled = row(2, { status: 'canceled' })
    await addPredictions(
      db,
      [row(1), canceled, waits].map((each) => ({ row: each, files: [fileRef('f'.repeat(16), 'a.txt')] })),
    )
    await sweepOld(parts(), 31 * day)
    expect(await db.selectFrom('predictions').select('id').execute()).toEqual([{ id: id(3) }])
    expect(await count('prediction_files')).toBe(1)
  })

  test('uploads go after their hours, but for results and for the input of what waits', async () => {
    const refs = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => upload(letter.repeat(16))))
    const [waiting, ended, result, nobodys] = refs
    await addPredictions(db, [
      { row: row(1, { status: 'starting', completed_at: null }), files: [waiting as never] },
      { row: row(2, { completed_at: at(Date.now()) }), files: [ended as never] },
    ])
    const { arrival } = await db
      .selectFrom('predictions')
      .select('arrival')
      .where('id', '=', id(2))
      .executeTakeFirstOrThrow()
    const made = { prediction: arrival, side: 'output' as const, file: 'c'.repeat(16), ref: result as never }
    await db.insertInto('prediction_files').values(made).execute()
    await sweepOld(parts(), Date.now() + 2 * day)
    const there = await Promise.all(
      [waiting, ended, result, nobodys].map(async (ref) => !!(await files.open(ref as never))),
    )
    expect(there).toEqual([true, false, true, false])
  })

  test('events go by age, and beyond the newest so many', async () => {
    const event = (ms: number) => ({
      demo,
      deployment: null,
      from_state: null,
      to_state: 'x',
      reason: null,
      at: at(ms),
    })
    for (let index = 0; index < 25; index += 1) await db.insertInto('events').values(event(0)).execute()
    for (let index = 0; index < 40; index += 1)
      await db
        .insertInto('events')
        .values(event(30 * day))
        .execute()
    await sweepOld(parts(), 31 * day)
    expect(await count('events')).toBe(40)
    await sweepOld(parts({ eventsKept: 7 }), 31 * day)
    const left = await db.selectFrom('events').select('seq').execute()
    expect(left.map(({ seq }) => seq)).toEqual([59, 60, 61, 62, 63, 64, 65])
  })

  test('deployments that ended go beyond the newest so many; not what serves, nor one that holds an image', async () => {
    const ids = Array.from({ length: 30 }, () => randomId() as DeploymentId)
    for (const [index, deployment] of ids.entries())
      await db
        .insertInto('deployments')
        .values({
          id: deployment,
          demo_id: demo,
          state: index === 1 ? 'running' : 'retired',
          image: index === 2 ? ('image' as never) : null,
          created_at: at(index),
          updated_at: at(index),
        })
        .execute()
    await db
      .updateTable('demos')
      .set({ serving: ids[0] as DeploymentId })
      .execute()
    await sweepOld(parts({ deploymentsKept: 5, sweepRows: 1 }), day)
    const left = await db.selectFrom('deployments').select('id').orderBy('created_at').execute()
    expect(left.map(({ id: deployment }) => ids.indexOf(deployment))).toEqual([0, 1, 2, 25, 26, 27, 28, 29])
  })
})

test('the files of a demo that is removed go, but for those that another demo names too', async () => {
  db = await openStore(folder)
  const other = '1'.repeat(32) as DemoId
  await addDemo()
  await addDemo(other)
  const [own, shared] = [await upload('a'.repeat(16)), await upload('b'.repeat(16))]
  await addPredictions(db, [
    { row: row(1), files: [own, shared] },
    { row: row(2, { demo_id: other }), files: [shared] },
  ])
  await forgetRunsOf(parts(), demo)
  expect([await files.open(own), await files.open(shared)].map((file) => file !== undefined)).toEqual([false, true])
})

test('what a demo that is removed leaves goes in slices: predictions that ended, and its events', async () => {
  db = await openStore(folder)
  await addDemo()
  const other = '1'.repeat(32) as DemoId
  await addDemo(other)
  const waits = row(99, { status: 'starting', completed_at: null })
  const ended = Array.from({ length: 50 }, (_, index) => row(index))
  await addPredictions(
    db,
    [...ended, row(98, { demo_id: other }), waits].map((each) => ({ row: each, files: [] })),
  )
  const event = { deployment: null, from_state: null, to_state: 'x', reason: null, at: at(0) }
  for (let index = 0; index < 20; index += 1)
    await db
      .insertInto('events')
      .values({ ...event, demo })
      .execute()
  await db
    .insertInto('events')
    .values({ ...event, demo: other })
    .execute()
  const slices = await watched('predictions', () => forgetRunsOf(parts(), demo))
  expect(Math.max(...slices)).toBe(10)
  expect(await db.selectFrom('predictions').select('id').orderBy('arrival').execute()).toEqual([
    { id: id(98) },
    { id: id(99) },
  ])
  expect(await db.selectFrom('events').select('demo').execute()).toEqual([{ demo: other }])
})
