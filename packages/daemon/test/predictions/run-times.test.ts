import type { DemoId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { RunTimes } from '../../src/predictions/run-times.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

let stored: StoredQueue
let demo: DemoId
beforeAll(async () => {
  stored = await StoredQueue.open()
})
beforeEach(async () => {
  demo = await stored.demo()
})
afterAll(async () => stored[Symbol.asyncDispose]())

async function ended(seconds: number | null, status: 'succeeded' | 'failed' = 'succeeded'): Promise<number> {
  const end = { status, completed_at: '', predict_time: seconds }
  const [added] = await addPredictions(stored.db, [StoredQueue.prediction(demo, 'ann', end)])
  return added?.arrival ?? 0
}
const inOrder = (times: readonly number[]) => times.toSorted((a, b) => a - b)

test('the last twenty that succeeded count, those that were stored before and those that ended since', async () => {
  const times = new RunTimes(stored.db)
  await ended(99, 'failed')
  await ended(null)
  for (let seconds = 1; seconds <= 15; seconds += 1) await ended(seconds)
  expect(inOrder(await times.of(demo))).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  for (let seconds = 16; seconds <= 25; seconds += 1) await times.add(demo, await ended(seconds), seconds)
  const last = Array.from({ length: 20 }, (_, index) => index + 6)
  expect(inOrder(await times.of(demo))).toEqual(last)
  expect(inOrder(await new RunTimes(stored.db).of(demo))).toEqual(last)
})

test('a run that ends while they are read counts once', async () => {
  const times = new RunTimes(stored.db)
  const reading = times.of(demo)
  const arrival = await ended(3)
  await Promise.all([times.add(demo, arrival, 3), times.add(demo, arrival, 3), reading])
  expect(await times.of(demo)).toEqual([3])
})

test('after a failed reading they are read again', async () => {
  const times = new RunTimes(stored.db)
  await ended(3)
  vi.spyOn(stored.db, 'selectFrom').mockImplementationOnce(() => {
    throw new Error('the disk is away')
  })
  await expect(times.of(demo)).rejects.toThrow('the disk is away')
  expect(await times.of(demo)).toEqual([3])
})
