import type { DemoId } from '@origami/protocol/demo'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { defaultLimits } from '../../src/config.ts'
import { KnownDemos } from '../../src/predictions/known-demos.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import { isNews, type Place, Places } from '../../src/predictions/places.ts'
import { RunTimes } from '../../src/predictions/run-times.ts'
import { Turns } from '../../src/predictions/turns/turns.ts'
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
  const open = new OpenPredictions(stored.db, changes)
  const turns = new Turns(open, defaultLimits)
  places = new Places({ demos: new KnownDemos(stored.db, changes), open, times, turns })
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

describe('who follows a place', () => {
  const following = (arrival: number, told: Place | undefined) => {
    const follower = { demo, arrival, told, tell: vi.fn() }
    return { follower, end: places.follow(follower) }
  }

  test('is told once it is another than was told, and not before', async () => {
    const [first, second] = [await waiting('ann'), await waiting('bob')]
    const ahead = following(first, await places.find(demo, first))
    const behind = following(second, await places.find(demo, second))
    changes.predictionChanged(demo, first, { running: true })
    await vi.waitFor(() => expect(behind.follower.tell).toHaveBeenCalled())
    expect(ahead.follower.tell).not.toHaveBeenCalled()
    for (const { end } of [ahead, behind]) end()
  })

  test('is told of many changes at once', async () => {
    const [first, second] = [await waiting('ann'), await waiting('bob')]
    const { follower, end } = following(second, await places.find(demo, second))
    for (const running of [true, true, true]) changes.predictionChanged(demo, first, { running })
    await vi.waitFor(() => expect(follower.tell).toHaveBeenCalled())
    expect(follower.tell).toHaveBeenCalledOnce()
    end()
  })

  test('is told with all others by one estimate, and others have their turn meanwhile', async () => {
    const predictions = Array.from({ length: 300 }, (_, number) => StoredQueue.prediction(demo, `visitor-${number}`))
    const added = await addPredictions(stored.db, predictions)
    changes.notify(demo)
    await places.find(demo, 0)
    const estimated = vi.spyOn(times, 'of')
    let toldBefore: number | undefined
    const told = new Set<number>()
    const ends = added.map(({ arrival }) => {
      const tell = () => {
        if (told.size === 0) setImmediate(() => (toldBefore = told.size))
        told.add(arrival)
      }
      return places.follow({ demo, arrival, told: undefined, tell })
    })
    await vi.waitFor(() => expect(told.size).toBe(300))
    expect(estimated).toHaveBeenCalledOnce()
    expect(toldBefore).toBeLessThan(300)
    for (const end of ends) end()
  })

  test('is told of a change that comes while others are told', async () => {
    const [first, second] = [await waiting('ann'), await waiting('bob')]
    await places.find(demo, second)
    const told: (number | undefined)[] = []
    const follower = {
      demo,
      arrival: second,
      told: undefined as Place | undefined,
      tell(place: Place) {
        told.push(place.position)
        this.told = place
        if (told.length === 1) changes.predictionChanged(demo, first, { running: true })
      },
    }
    const end = places.follow(follower)
    await vi.waitFor(() => expect(told).toEqual([2, 1]))
    end()
  })
})

test.each([
  [1, undefined, true],
  [1, 2, true],
  [50, 50, false],
  [50, 51, true],
  [91, 100, false],
  [90, 100, true],
  [51, 52, false],
])('place %i after %s is news: %s', (now, told, expected) => {
  const place = (position: number) => ({ position, eta: null })
  expect(isNews(place(now), told === undefined ? undefined : place(told))).toBe(expected)
})
