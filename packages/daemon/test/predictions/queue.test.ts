import type { DemoId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Places } from '../../src/predictions/places.ts'
import { Queue } from '../../src/predictions/queue.ts'
import { dispatcherParts } from './instance/instances.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

let stored: StoredQueue
let demo: DemoId
beforeEach(async () => {
  stored = await StoredQueue.open()
  demo = await stored.demo()
})
afterEach(() => stored[Symbol.asyncDispose]())

test('what is open of a demo is told from memory, in the order of places', async () => {
  const parts = dispatcherParts(stored.db, () => ({}))
  const queue = new Queue({ ...parts, places: new Places(parts) })
  const visitors = ['ann', 'ann', 'ann', 'bob']
  const rows = await addPredictions(
    stored.db,
    visitors.map((visitor, number) =>
      StoredQueue.prediction(demo, visitor, { status: number === 0 ? 'processing' : 'starting' }),
    ),
  )
  await parts.open.upToDate()
  await stored.db.deleteFrom('predictions').execute()
  const { running, waiting } = await queue.openOf(demo)
  const [first, second, third, other] = rows.map(({ arrival }) => arrival)
  expect(running.map(({ arrival }) => arrival)).toEqual([first])
  expect(waiting.map(({ arrival }) => arrival)).toEqual([other, second, third])
})
