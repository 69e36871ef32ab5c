import type { DeploymentState } from '@origami/protocol/control'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { wantDemo } from '../../src/store/demos.ts'
import type { Change } from '../../src/store/deployment-documents.ts'
import { goodVersions, lastGood } from '../../src/store/good-versions.ts'
import type { Db } from '../../src/store/open.ts'
import { addDeployment } from '../../src/store/waiting-deployments.ts'
import { at, demo, movedTo, openInMemory } from './in-memory.ts'

let db: Db
beforeEach(async () => {
  db = await openInMemory()
  for (const id of [demo, other])
    await wantDemo(db, { id, user_id: 'ann', repolink: `https://folder.test/ann/${id}` }, at)
})
afterEach(() => db.destroy())

const other = 'e'.repeat(32) as DemoId
const good: Change = { image: 'i' as never, served_well: at }
let seconds = 0
/** A version, newer than those before it. */
async function version(state: DeploymentState, change: Change = good, of = demo): Promise<DeploymentId> {
  seconds += 1
  const id = await addDeployment(db, of, new Date(Date.parse(at) + seconds * 1000).toISOString(), () => null)
  await movedTo(db, id, state, change)
  return id
}

test('good versions are the newest that served well and have an image, in order', async () => {
  const first = await version('retired')
  const second = await version('stopped')
  const third = await version('draining')
  const fourth = await version('running')
  await version('poisoned')
  await version('retired', { ...good, image: null })
  await version('retired', { ...good, served_well: null })
  await version('retired', good, other)
  expect(await goodVersions(db, demo, 10)).toEqual([fourth, third, second, first])
  expect(await goodVersions(db, demo, 2)).toEqual([fourth, third])
})

test('the last good version is the newest that retired, and another than the one that asks', async () => {
  const first = await version('retired')
  const second = await version('retired')
  await version('retired', { ...good, served_well: null })
  await version('retired', { ...good, image: null })
  await version('retired', good, other)
  const running = await version('running')
  expect(await lastGood(db, { id: running, demo_id: demo })).toMatchObject({ id: second, state: 'retired' })
  expect(await lastGood(db, { id: second, demo_id: demo })).toMatchObject({ id: first })
})

test('where no other version was good there is no last good one', async () => {
  const id = await version('retired')
  expect(await lastGood(db, { id, demo_id: demo })).toBeUndefined()
})
