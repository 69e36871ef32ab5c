import { demoSchema, parseManifest } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ImageRef, InstanceId } from '../../src/engine/engine.ts'
import { routeOf, setServing } from '../../src/store/demos.ts'
import { deploymentsByState } from '../../src/store/deployments.ts'
import type { Db } from '../../src/store/open.ts'
import { addedDemo, at, demo, movedTo, openInMemory } from './in-memory.ts'

const [image, instance] = ['image' as ImageRef, 'instance' as InstanceId]

let db: Db
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

const said = { name: 'said', label: 'Said', component: 'text', options: {}, required: true }
const about = { api: 1, title: 'x', description: '', examples: [], streaming: false, concurrency: 1 }
const documents = {
  schema: demoSchema.parse({ ...about, inputs: [], outputs: [said] }),
  manifest: parseManifest('memory: 512m\nready_within: 7\n'),
  log_tail: ['one', 'two'],
  crash_times: [at],
}

test('what is kept as JSON is read as it was written, the memory of a manifest in bytes', async () => {
  const row = await addedDemo(db)
  expect(row).toMatchObject({ log_tail: [], manifest: { ready_within: 120 }, schema: undefined })
  const read = await movedTo(db, row.id, 'running', { ...documents, image })
  expect(read).toMatchObject(documents)
  expect(read.manifest?.memory).toBe(512 * 1024 ** 2)
  expect(read.steps.map(({ state }) => state)).toEqual(['queued', 'running'])
})

test('what cannot be read is told, holds its own demo, and hides no deployment', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const row = await addedDemo(db)
  await movedTo(db, row.id, 'running', { ...documents, image, instance, endpoint: 'http://127.0.0.1:1' })
  await setServing(db, row)
  expect((await routeOf(db, demo))?.times).toMatchObject({ ready_within: 7 })
  await db.updateTable('deployments').set({ manifest: '{"port":"high"}', steps: '[1]', crash_times: '{' }).execute()
  expect(await deploymentsByState(db, ['running'])).toMatchObject([
    { id: row.id, manifest: undefined, steps: [], crash_times: [] },
  ])
  expect(await routeOf(db, demo)).toBeUndefined()
  expect(logged.mock.calls.map(([what]) => String(what).split(' ', 2).join(' '))).toEqual([
    'store: steps',
    'store: crash_times',
    'store: a',
  ])
  logged.mockRestore()
})
