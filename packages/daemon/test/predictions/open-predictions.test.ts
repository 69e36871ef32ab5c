import type { DemoId, VisitorId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { openPredictions } from '../../src/store/open-predictions.ts'
import { changePrediction, requestCancel } from '../../src/store/predictions.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

let stored: StoredQueue
let demo: DemoId
let changes: Changes
let open: OpenPredictions
beforeAll(async () => {
  stored = await StoredQueue.open()
})
beforeEach(async () => {
  demo = await stored.demo()
  changes = new Changes()
  open = new OpenPredictions(stored.db, changes)
})
afterAll(async () => stored[Symbol.asyncDispose]())

async function added(visitor: string): Promise<number> {
  const [row] = await addPredictions(stored.db, [StoredQueue.prediction(demo, visitor)])
  return row?.arrival ?? 0
}

test('what is open is known in order of arrival, and read again once it is said to have changed', async () => {
  const [first, second] = [await added('ann'), await added('bob')]
  expect((await open.of(demo)).map(({ arrival }) => arrival)).toEqual([first, second])
  for (const sent_to of ['http://a', 'http://b']) {
    await changePrediction(stored.db, second, 'starting', { sent_to })
    changes.predictionChanged(demo, second)
    expect(await open.find(second)).toMatchObject({ sentTo: sent_to })
  }
  await requestCancel(stored.db, second, 'now')
  changes.predictionChanged(demo, second)
  expect(await open.find(second)).toMatchObject({ cancelRequested: true })
  expect(await open.of(demo)).toEqual(await openPredictions(stored.db, demo))
})

test('who asks while rows are read gets what they say by then', async () => {
  const arrival = await added('ann')
  await open.all()
  await changePrediction(stored.db, arrival, 'starting', { sent_to: 'http://a' })
  changes.predictionChanged(demo, arrival)
  const [one, other] = await Promise.all([open.find(arrival), Promise.resolve().then(() => open.find(arrival))])
  expect([one?.sentTo, other?.sentTo]).toEqual(['http://a', 'http://a'])
})

test('what a writer says of a row is taken without reading it, and what ended is gone', async () => {
  const arrival = await added('ann')
  const row = await open.find(arrival)
  if (!row) throw new Error('it is not open')
  changes.predictionChanged(demo, arrival, { ...row, running: true })
  expect(await open.find(arrival)).toMatchObject({ running: true })
  changes.predictionChanged(demo, arrival, 'ended')
  expect([await open.find(arrival), await open.of(demo)]).toEqual([undefined, []])
})

test('a change of its demo reads all that is open there, also what is no more', async () => {
  const [first, second] = [await added('ann'), await added('bob')]
  await open.all()
  await stored.db.deleteFrom('predictions').where('arrival', '=', first).execute()
  const third = await added('cas')
  changes.notify(demo)
  expect((await open.of(demo)).map(({ arrival }) => arrival)).toEqual([second, third])
})

test('those that wait are counted as they come, begin and end', async () => {
  const [first, second] = [await added('ann'), await added('ann')]
  await open.all()
  const whose = { demo, visitor: 'ann' as VisitorId, address: null }
  expect(open.waiting.of(whose)).toEqual({ demo: 2, visitor: 2, address: 0 })
  changes.predictionChanged(demo, first, { running: true })
  expect(open.waiting.of(whose)).toEqual({ demo: 1, visitor: 1, address: 0 })
  for (const arrival of [first, second]) changes.predictionChanged(demo, arrival, 'ended')
  expect(open.waiting.of(whose)).toEqual({ demo: 0, visitor: 0, address: 0 })
})
