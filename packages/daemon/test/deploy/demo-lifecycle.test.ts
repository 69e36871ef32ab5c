import { afterEach, beforeEach, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { DemoLifecycle } from '../../src/deploy/demo-lifecycle.ts'
import { DeploymentRunner } from '../../src/deploy/deployment-runner.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { Commits } from '../../src/store/commits.ts'
import { setServing, setWant } from '../../src/store/demos.ts'
import { deploymentById, note } from '../../src/store/deployments.ts'
import { addedDemo, at, demo, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

/** What `start` uses: the store, and the listeners. The daemon is ending, so it begins no deployment. */
async function lifecycleOf(): Promise<DemoLifecycle> {
  const commits = new Commits(db)
  const parts = { db, commits, now: () => at, changed: new Changes(), lookAfter: () => {} } as unknown as DeployParts
  const runner = new DeploymentRunner(parts)
  await runner.shutDown()
  return new DemoLifecycle(parts, runner, async () => {})
}

test('a demo that was never live cannot be started, and is told to be deployed', async () => {
  await addedDemo(db)
  await expect((await lifecycleOf()).start(demo)).rejects.toThrow(
    'It was never live, so there is nothing to start; deploy it.',
  )
})

test('a demo whose version served and has no image any more is told so, and not that it was never live', async () => {
  const { id } = await addedDemo(db)
  await movedTo(db, id, 'build_failed')
  await setServing(db, { id, demo_id: demo })
  const gone = 'The image of the version that was live last is gone, so there is nothing to start; deploy it again.'
  await expect((await lifecycleOf()).start(demo)).rejects.toThrow(gone)
})

test('a demo whose version is being built again is on its way already', async () => {
  const { id } = await addedDemo(db)
  await setServing(db, { id, demo_id: demo })
  expect(await (await lifecycleOf()).start(demo)).toBe(true)
  expect((await rowOf(db, id)).state).toBe('queued')
})

test('a start of what was put off begins a new row of tries', async () => {
  const { id } = await addedDemo(db)
  await movedTo(db, id, 'stopped')
  const row = await deploymentById(db, id)
  if (row) await note(db, row, { image: 'i' as never, tries: 7, next_try_at: at })
  await setServing(db, { id, demo_id: demo })
  await setWant(db, demo, 'stopped')
  await (await lifecycleOf()).start(demo)
  expect((await rowOf(db, id)).state).toBe('queued')
  expect(await movedTo(db, id, 'running')).toMatchObject({ put_off: null })
})
