import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DeployParts } from '../../src/deploy/parts.ts'
import type { DeploymentIn } from '../../src/store/deployment.ts'
import { note } from '../../src/store/deployments.ts'
import { handBack } from '../../src/upkeep/revive.ts'
import { deployParts } from '../deploy/deploy-parts.ts'
import { addedDemo, at, movedTo, openInMemory, rowOf } from '../store/in-memory.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

/** A version that served well and was replaced, and the one that replaced it. */
async function replaced() {
  const before = await addedDemo(db)
  const good = await movedTo(db, before.id, 'retired', { image: 'good' as never })
  await note(db, good, { served_well: at })
  const { id } = await addedDemo(db)
  return { good, bad: (await movedTo(db, id, 'running', { image: 'bad' as never })) as DeploymentIn<'running'> }
}

test('a version that crashes hands back to the last good one though the log cannot be read', async () => {
  const { good, bad } = await replaced()
  const tail = async () => {
    throw new Error('the disk is away')
  }
  const tasks = { start: vi.fn() }
  await handBack(deployParts(db, { tasks, logs: { append: async () => {}, tail } }), bad, 'It exited')
  expect((await rowOf(db, bad.id)).state).toBe('runtime_error')
  expect((await rowOf(db, good.id)).state).toBe('running')
  expect(tasks.start).toHaveBeenCalledOnce()
})

test('nothing is said to serve again where the version was stopped meanwhile', async () => {
  const { good, bad } = await replaced()
  await movedTo(db, bad.id, 'stopped', { attempt: bad.attempt + 1 })
  const [append, tasks] = [vi.fn(async () => {}), { start: vi.fn() }]
  await handBack(deployParts(db, { tasks, logs: { append, tail: async () => [] } }), bad, 'It exited')
  expect((await rowOf(db, good.id)).state).toBe('retired')
  expect([append.mock.calls, tasks.start.mock.calls]).toEqual([[], []])
})
