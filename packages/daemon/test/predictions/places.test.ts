import type { DemoId, PredictionId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { KnownDemos } from '../../src/predictions/known-demos.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { Places } from '../../src/predictions/places.ts'
import { addPredictions } from '../../src/store/predictions.ts'
import { StoredQueue } from './stored-queue.ts'

let stored: StoredQueue
let demo: DemoId
let changes: Changes
let places: Places
beforeAll(async () => {
  stored = await StoredQueue.open()
})
beforeEach(async () => {
  demo = await stored.demo()
  changes = new Changes()
  const { db } = stored
  places = new Places({
    db,
    changed: changes,
    demos: new KnownDemos(db, changes),
    open: new OpenPredictions(db, changes),
  })
})
afterAll(async () => stored[Symbol.asyncDispose]())

const waiting = async (visitor: string): Promise<PredictionId> => {
  const prediction = StoredQueue.prediction(demo, visitor)
  await addPredictions(stored.db, [prediction])
  changes.notify(demo)
  return prediction.row.id
}
const ended = async (seconds: number) =>
  addPredictions(stored.db, [
    StoredQueue.prediction(demo, 'ann', { status: 'succeeded', completed_at: '', predict_time: seconds }),
  ])

test('a place is the one in the order of turns, and its estimate is there after three runs', async () => {
  const [first, second, other] = [await waiting('ann'), await waiting('ann'), await waiting('bob')]
  expect(await places.find(demo, second)).toEqual({ position: 3, eta: null })
  for (const seconds of [1, 2, 3]) await ended(seconds)
  changes.notify(demo)
  expect(await places.find(demo, first)).toEqual({ position: 1, eta: 2 })
  expect(await places.find(demo, other)).toEqual({ position: 2, eta: 4 })
})

test('what does not wait has none', async () => {
  const id = await waiting('ann')
  await stored.db.updateTable('predictions').set({ status: 'processing' }).where('id', '=', id).execute()
  changes.notify(demo)
  expect(await places.find(demo, id)).toBeUndefined()
})

test('places are read again once the queue of their demo changed, and not before', async () => {
  const [first, second] = [await waiting('ann'), await waiting('bob')]
  expect(await places.find(demo, second)).toMatchObject({ position: 2 })
  await stored.db.deleteFrom('predictions').where('id', '=', first).execute()
  expect(await places.find(demo, second)).toMatchObject({ position: 2 })
  changes.notify(demo)
  expect(await places.find(demo, second)).toMatchObject({ position: 1 })
})
