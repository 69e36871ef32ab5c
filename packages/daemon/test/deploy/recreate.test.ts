import { manifestSchema } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploy } from '../../src/deploy/deploy.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { StartSlots } from '../../src/deploy/start-slots.ts'
import { setServing } from '../../src/store/demos.ts'
import { note } from '../../src/store/deployments.ts'
import { addDeployment, waitingOf } from '../../src/store/waiting-deployments.ts'
import { addedDemo, at, demo, movedTo, openInMemory } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let db: DeployParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('a version that serves since its deploy waited for a slot is stopped first as well', async () => {
  const { id: before } = await addedDemo(db)
  await addDeployment(db, demo, at, () => null)
  const waiting = await waitingOf(db, demo)
  if (!waiting) throw new Error('nothing waits')
  const manifest = manifestSchema.parse({ strategy: 'recreate' })
  await note(db, waiting, { image: 'new' as never, manifest })
  const queued = await waitingOf(db, demo)
  if (!queued) throw new Error('nothing waits')
  const did: string[] = []
  const slots = new StartSlots({ deployments: 1, startSlotMs: 60_000 })
  const free = Promise.withResolvers<void>()
  const taken = slots.take('deploy', new AbortController().signal, () => free.promise)
  const engine = {
    instancesOf: async () => [{ id: 'old', demo, deployment: before, state: 'running' }],
    stop: async (id: string) => did.push(`stop ${id}`),
    remove: async () => true,
    removeImage: async () => true,
    start: async () => {
      did.push('start')
      throw new Error('enough')
    },
  }
  const parts = deployParts(db, { slots, engine, pumps: { drained: async () => {} } })
  const deploying = deploy(parts, queued, new AbortController().signal, () => {})
  await movedTo(db, before, 'running', {
    image: 'old' as never,
    instance: 'old' as never,
    endpoint: 'http://127.0.0.1:1',
  })
  await setServing(db, { id: before, demo_id: demo })
  free.resolve()
  await Promise.all([taken, deploying])
  expect(did).toEqual(['stop old', 'start'])
})
