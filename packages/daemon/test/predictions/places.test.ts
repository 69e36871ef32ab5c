import type { DemoId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { defaultLimits } from '../../src/config.ts'
import { KnownDemos } from '../../src/predictions/known-demos.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { Places } from '../../src/predictions/places.ts'
import { RunTimes } from '../../src/predictions/run-times.ts'
import { Turns } from '../../src/predictions/turns.ts'
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
  const turns = new Turns(new OpenPredictions(stored.db, changes), defaultLimits)
  places = new Places({ demos: new KnownDemos(stored.db, changes), times, turns })
})
afterAll(async () => stored[Symbol.asyncDispose]())

const waiting = async (visitor: string): Promise<number> => {
  const [added] = await addPredictions(stored.db, [StoredQueue.prediction(demo, visitor)])
  changes.notify(demo)
  return added?.arrival ?? 0
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
  const arrival = await waiting('ann')
  await stored.db.updateTable('predictions').set({ status: 'processing' }).where('arrival', '=', arrival).execute()
  changes.notify(demo)
  expect(await places.find(demo, arrival)).toBeUndefined()
})

test('places are read again once the queue of their demo changed, and not before', async () => {
  const [first, second] = [await waiting('ann'), await waiting('bob')]
  expect(await places.find(demo, second)).toMatchObject({ position: 2 })
  await stored.db.deleteFrom('predictions').where('arrival', '=', first).execute()
  expect(await places.find(demo, second)).toMatchObject({ position: 2 })
  changes.notify(demo)
  expect(await places.find(demo, second)).toMatchObject({ position: 1 })
})
