import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Slices } from '@origami/host/slices'
import { type DemoId, Full, fileRef, type PredictionId } from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { boundKeptBytes } from '../../src/predictions/kept-bytes.ts'
import { UploadCounts } from '../../src/predictions/upload-counts.ts'
import { UploadFiles } from '../../src/predictions/upload-files.ts'
import { keptBytes } from '../../src/store/kept-bytes.ts'
import { type Db, openStore } from '../../src/store/open.ts'
import { addFiles } from '../../src/store/prediction-files.ts'
import { deletePrediction } from '../../src/store/results.ts'

const [one, two] = ['1', '2'].map((digit) => digit.repeat(32) as DemoId)
let folder: string
let db: Db
let files: FolderFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-kept-'))
  db = await openStore(folder)
  files = new FolderFiles(join(folder, 'files'), { maxFileBytes: () => 10_000 })
  for (const id of [one, two])
    await db
      .insertInto('demos')
      .values({ id: id as DemoId, user_id: 'ann', repolink: 'x', want: 'on', created_at: 'now' })
      .execute()
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true, force: true })
})

const many = 1_000_000
const bound = (resultsDemoBytes: number, resultsBytes: number) =>
  boundKeptBytes({ db, files, slices: new Slices(), limits: { resultsDemoBytes, resultsBytes } })

/** Adds a prediction that put out so much text. Its input has two bytes. It ended at this second. */
async function ended(demo: DemoId | undefined, name: string, text: number, second: number | null = 1) {
  const completed_at = second === null ? null : new Date(second * 1000).toISOString()
  const { arrival } = await db
    .insertInto('predictions')
    .values({
      ...{ id: name as PredictionId, demo_id: demo as DemoId, status: 'succeeded', input: '{}', created_at: 'now' },
      output: 'x'.repeat(text),
      completed_at,
    })
    .returning('arrival')
    .executeTakeFirstOrThrow()
  return arrival
}
const putOut = async (arrival: number, name: string, bytes: number) => {
  const ref = await files.put(
    name.padEnd(16, '0'),
    'a.bin',
    undefined,
    (async function* () {
      yield Buffer.alloc(bytes, 1)
    })(),
  )
  await addFiles(db, arrival, 'output', [ref])
  return ref
}
const left = async () =>
  (await db.selectFrom('predictions').select('id').orderBy('arrival').execute()).map(({ id }) => id)
const kept = async () => Object.fromEntries((await keptBytes(db)).map(({ id, kept_bytes }) => [id[0], kept_bytes]))

describe('results', () => {
  test('of a demo are kept up to its bytes, and those that ended first go with their files', async () => {
    const ref = await putOut(await ended(one, 'old', 98), 'old', 1000)
    const shared = await putOut(await ended(one, 'older', 98), 'shared', 500)
    await addFiles(db, await ended(two, 'of another demo', 98), 'output', [shared])
    await ended(one, 'new', 98)
    await bound(1600, many)
    expect(await left()).toEqual(['older', 'of another demo', 'new'])
    expect(await kept()).toEqual({ 1: 700, 2: 600 })
    expect(await files.open(ref)).toBeUndefined()
    await bound(100, many)
    expect(await left()).toEqual(['new'])
    expect(await kept()).toEqual({ 1: 100, 2: 0 })
  })

  test('of all demos are kept up to theirs, whose ever is the oldest', async () => {
    await ended(two, 'second', 98, 2)
    await ended(one, 'first', 98, 1)
    await ended(one, 'third', 98, 3)
    await bound(many, 200)
    expect(await left()).toEqual(['second', 'third'])
    expect(await kept()).toEqual({ 1: 100, 2: 100 })
  })

  test('that did not end are neither counted nor removed, and what is deleted counts no more', async () => {
    await ended(one, 'open', 5000, null)
    const arrival = await ended(one, 'ended', 98)
    await bound(many, many)
    expect(await kept()).toEqual({ 1: 100, 2: 0 })
    await bound(100, 100)
    expect(await left()).toEqual(['open', 'ended'])
    await deletePrediction(db, arrival)
    expect(await kept()).toEqual({ 1: 0, 2: 0 })
  })
})

describe('uploads', () => {
  const opened = async (uploadsDemoBytes: number, uploadsBytes: number) => {
    const uploads = await UploadCounts.open(db, { uploadsDemoBytes, uploadsBytes })
    const into = (demo: DemoId | undefined) =>
      new UploadFiles({ files, demo: demo as DemoId, space: { lackFor: async () => undefined }, uploads })
    return { uploads, into }
  }
  const put = (into: UploadFiles, name: string, bytes: number, announced = bytes) =>
    into.put(
      name.padEnd(16, '0'),
      'a.bin',
      undefined,
      (async function* () {
        yield Buffer.alloc(bytes, name.charCodeAt(0))
      })(),
      undefined,
      announced,
    )

  test('for one demo are refused beyond its bytes, those for another are not, and a restart forgets none', async () => {
    const { into } = await opened(1000, many)
    await put(into(one), 'a', 600)
    await expect(put(into(one), 'b', 600)).rejects.toThrow(/600 bytes of uploads for this demo are kept, and 1.0 kB/)
    await expect(put(into(one), 'b', 600)).rejects.toThrow(Full)
    await put(into(two), 'b', 600)
    const { into: again } = await opened(1000, many)
    await expect(put(again(one), 'c', 600)).rejects.toThrow(Full)
    expect(await put(again(one), 'a', 600)).toBe(fileRef('a'.padEnd(16, '0'), 'a.bin'))
  })

  test('for all demos are refused beyond theirs, and come again once older ones went', async () => {
    const { into, uploads } = await opened(many, 1000)
    await put(into(one), 'a', 600)
    await expect(put(into(two), 'b', 600)).rejects.toThrow(/600 bytes of uploads are kept, and 1.0 kB/)
    expect(await uploads.sweep(new Date(Date.now() + 1000).toISOString(), 10)).toBe(1)
    await put(into(two), 'b', 600)
  })

  test('that are on their way count as far as they were announced', async () => {
    const { into, uploads } = await opened(1000, many)
    await uploads.during(one as DemoId, 600, async () => {
      await expect(put(into(one), 'a', 600)).rejects.toThrow(Full)
    })
    await put(into(one), 'a', 600)
  })
})
