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
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defaultLimits, type Limits } from '../../src/config.ts'
import { forgetResult, forgetRunsOf, sweepOld } from '../../src/predictions/retention.ts'
import { type Db, openStore } from '../../src/store/open.ts'

import { addPredictions } from './stored-queue.ts'

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
/** The parts of a sweep. Its slices take no time, so their size doubles until it is 10. */
function parts(overrides: Partial<Limits> = {}) {
  const limits: Limits = { ...defaultLimits, sweepRows: 10, ...overrides }
  return { db, files, limits, slices: new Slices({ most: () => limits.sweepRows, clock: () => 0 }) }
}

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

describe('a result that its visitor forgets', () => {
  beforeEach(async () => {
    db = await openStore(folder)
    await addDemo()
  })

  test('goes with its files, but for those that another prediction names', async () => {
    const [own, shared] = [await upload('a'.repeat(16)), await upload('b'.repeat(16))]
    await addPredictions(db, [
      { row: row(1), files: [own, shared] },
      { row: row(2), files: [shared] },
    ])
    expect(await forgetResult(db, files, demo, ann, id(1))).toBe(true)
    expect(await db.selectFrom('predictions').select('id').execute()).toEqual([{ id: id(2) }])
    expect([await files.open(own), await files.open(shared)].map((file) => file !== undefined)).toEqual([false, true])
    expect(await forgetResult(db, files, demo, ann, id(1))).toBe(false)
  })

  test("is one of theirs that ended: what runs, and somebody else's, stays", async () => {
    const other = '1'.repeat(32) as DemoId
    await addDemo(other)
    const upTo = [row(1, { visitor: 'bob' }), row(2, { status: 'processing', completed_at: null })]
    await addPredictions(
      db,
      [...upTo, row(3, { demo_id: other })].map((each) => ({ row: each, files: [] })),
    )
    for (const index of [1, 2, 3]) expect(await forgetResult(db, files, demo, ann, id(index))).toBe(false)
    expect(await count('predictions')).toBe(3)
  })
})

test('an aborted signal ends a sweep before its next slice', async () => {
  db = await openStore(folder)
  await addDemo()
  await addPredictions(
    db,
    Array.from({ length: 5 }, (_, index) => ({ row: row(index), files: [] })),
  )
  const leaving = new AbortController()
  const slices = new Slices({ most: () => 2, clock: () => leaving.abort() ?? 0 })
  await sweepOld({ ...parts(), slices }, 40 * day, leaving.signal)
  expect(await count('predictions')).toBe(4)
})
