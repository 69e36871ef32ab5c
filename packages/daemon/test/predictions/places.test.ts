import type { DemoId, PredictionId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { KnownDemos } from '../../src/predictions/known-demos.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { Places } from '../../src/predictions/places.ts'
import { RunTimes } from '../../src/predictions/run-times.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

let stored: StoredQueue
let demo: DemoId
let changes: Changes
let places: Places
let times: RunTimes
beforeAll(async () => {
  stored = await StoredQueue.open()
})
beforeEach(async () => {
  demo = await stored.demo()
  changes = new Changes()
  times = new RunTimes(stored.db)
  places = new Places({
    changed: changes,
    demos: new KnownDemos(stored.db, changes),
    open: new OpenPredictions(stored.db, changes),
    times: times,
  })
})
afterAll(async () => stored[Symbol.asyncDispose]())

const waiting = async (visitor: string): Promise<PredictionId> => {
  const prediction = StoredQueue.prediction(demo, visitor)
  await addPredictions(stored.db, [prediction])
  changes.notify(demo)
  return prediction.row.id
}
const ended = async (seconds: number) => {
  const end = { status: 'succeeded' as const, completed_at: '', predict_time: seconds }
  const [added] = await addPredictions(stored.db, [StoredQueue.prediction(demo, 'ann', end)])
  await times.add(demo, added?.arrival ?? 0, seconds)
}

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
