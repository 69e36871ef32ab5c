import type { DeploymentState } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { setServing, setWant, wantDemo } from '../../src/store/demos.ts'
import type { Change } from '../../src/store/deployment-documents.ts'
import { note } from '../../src/store/deployments.ts'
import { eventsAfter } from '../../src/store/events.ts'
import type { Db } from '../../src/store/open.ts'
import { addDeployment, isComing, nextQueued, queueStopped, waitingOf } from '../../src/store/waiting-deployments.ts'
import { addedDemo, at, demo, movedTo, openInMemory, rowOf } from './in-memory.ts'

let db: Db
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

const image = { image: 'i' as never }
const later = (seconds: number) => new Date(Date.parse(at) + seconds * 1000).toISOString()
const add = (of = demo, now = at) => addDeployment(db, of, now, () => null)
/** A deployment of a demo of its own, that waits since `seconds`. */
async function waiting(name: string, user: string, seconds: number, change?: Change): Promise<DeploymentId> {
  const of = name.repeat(32) as DemoId
  await wantDemo(db, { id: of, user_id: user, repolink: `https://folder.test/${user}/${name}` }, at)
  const id = await add(of, later(seconds))
  if (change) await note(db, await rowOf(db, id), change)
  return id
}

describe('a new request', () => {
  test('waits, with its token sealed for it, and is an event', async () => {
    await wantDemo(db, { id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x' }, at)
    const id = await addDeployment(db, demo, at, (row) => Buffer.from(row))
    expect(await waitingOf(db, demo)).toMatchObject({ id, state: 'queued', token: Buffer.from(id) })
    expect(await eventsAfter(db, 0)).toMatchObject([{ demo, deployment: id, from: null, to: 'queued', at }])
  })

  test('takes the place of one that waits, which no longer has its token', async () => {
    const old = await addedDemo(db)
    await note(db, old, { token: Buffer.from('sealed') })
    const id = await add()
    expect(await rowOf(db, old.id)).toMatchObject({ state: 'superseded', reason: 'a newer request took its place' })
    const stored = db.selectFrom('deployments').select(['token', 'superseded_by']).where('id', '=', old.id)
    expect(await stored.executeTakeFirst()).toEqual({ token: null, superseded_by: id })
    expect(await waitingOf(db, demo)).toMatchObject({ id })
  })

  test('only stops the one that serves while that waits for its start', async () => {
    const old = await addedDemo(db)
    await note(db, old, image)
    await setServing(db, old)
    await add()
    expect(await rowOf(db, old.id)).toMatchObject({ state: 'stopped', ...image })
  })
})

describe('a version that is stopped', () => {
  /** One that serves, stopped, with an image. */
  async function stopped(change: Change = image) {
    const row = await addedDemo(db)
    await setServing(db, row)
    return movedTo(db, row.id, 'stopped', change)
  }

  test('of a demo that is wanted on is queued again, with a new attempt and a new count', async () => {
    const row = await stopped({ ...image, crash_times: [at], interruptions: 2, tries: 3, next_try_at: at })
    expect(await queueStopped(db, at)).toEqual([demo])
    expect(await waitingOf(db, demo)).toMatchObject({ id: row.id, attempt: row.attempt + 1, ...image })
    const counts = db.selectFrom('deployments').select(['crash_times', 'interruptions', 'tries', 'next_try_at'])
    expect(await counts.executeTakeFirst()).toEqual({
      ...{ crash_times: '[]', interruptions: 0, tries: 0, next_try_at: null },
    })
  })

  test.each<[string, () => Promise<unknown>]>([
    ['whose owner stopped the demo', async () => [await stopped(), await setWant(db, demo, 'stopped')]],
    ['without an image', () => stopped({ image: null })],
    ['while a newer one waits', async () => [await stopped(), await add()]],
    ['that crashed too often', async () => movedTo(db, (await stopped()).id, 'poisoned')],
  ])('%s stays as it is', async (_which, make) => {
    await make()
    expect(await queueStopped(db, at)).toEqual([])
  })
})

test.each<[DeploymentState, boolean]>([
  ['queued', true],
  ['cloning', true],
  ['switching', true],
  ['running', false],
  ['stopped', false],
  ['build_failed', false],
])('a demo whose deployment is %s has one that is coming: %s', async (state, coming) => {
  const { id } = await addedDemo(db)
  if (state !== 'queued') await movedTo(db, id, state)
  expect(await isComing(db, demo)).toBe(coming)
  expect(await isComing(db, 'e'.repeat(32) as DemoId)).toBe(false)
})

describe('the next deployment', () => {
  test('is the one that arrived first', async () => {
    await waiting('b', 'ann', 2)
    const first = await waiting('a', 'bob', 1)
    expect(await nextQueued(db, [], true)).toMatchObject({ id: first })
  })

  test('is one of the owner who has fewest under way, those included that are taken and say that they wait', async () => {
    const [taken, second] = [await waiting('a', 'ann', 1), await waiting('b', 'ann', 2)]
    const other = await waiting('c', 'bob', 3)
    expect(await nextQueued(db, [taken], true)).toMatchObject({ id: other })
    await movedTo(db, taken, 'building')
    expect(await nextQueued(db, [], true)).toMatchObject({ id: other })
    await movedTo(db, other, 'building')
    expect(await nextQueued(db, [], true)).toMatchObject({ id: second })
  })

  test('is none of a demo that has one under way', async () => {
    const { id } = await addedDemo(db)
    await movedTo(db, id, 'building')
    await add()
    expect(await nextQueued(db, [], true)).toBeUndefined()
  })

  test('is one with an image where nothing may be built', async () => {
    await waiting('a', 'ann', 1)
    expect(await nextQueued(db, [], false)).toBeUndefined()
    const built = await waiting('b', 'ann', 2, image)
    expect(await nextQueued(db, [], false)).toMatchObject({ id: built })
  })
})
