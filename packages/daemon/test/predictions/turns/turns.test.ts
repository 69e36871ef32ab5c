import type { DemoId, DeploymentId, PredictionId, VisitorId } from '@origami/protocol/demo'
import { beforeEach, describe, expect, test } from 'vitest'
import { Changes } from '../../../src/changes.ts'
import { OpenPredictions } from '../../../src/predictions/open-predictions.ts'
import { Turns } from '../../../src/predictions/turns/turns.ts'
import { justArrived } from '../../../src/store/open-predictions.ts'
import { openInMemory } from '../../store/in-memory.ts'

const demo = 'a'.repeat(32) as DemoId
const endpoint = 'http://instance.test'
const ready = { endpoint, deployment: { id: 'd' as DeploymentId, commit_sha: null }, concurrency: 1, ahead: 0 }

let changes: Changes
let turns: Turns
beforeEach(async () => {
  changes = new Changes()
  const open = new OpenPredictions(await openInMemory(), changes)
  await open.upToDate()
  turns = new Turns(open, { running: 4, runningPerDemo: 1 })
  turns.sendTo(new Map([[demo, ready]]))
})

function arrive(arrival: number, change: { sent_to?: string } = {}): void {
  const who = { id: `prediction-${arrival}` as PredictionId, visitor: `${arrival}` as VisitorId }
  const row = { ...who, demo_id: demo, status: 'starting' as const, input: '{}', created_at: '', ...change }
  changes.predictionChanged(demo, arrival, justArrived({ ...row, arrival }))
}
const next = () => turns.next()?.row.arrival

describe('a prediction that arrives', () => {
  test('is to be sent at once where a place is free and nobody waits, as many as there are places', () => {
    expect([turns.reserve(demo), turns.reserve(demo)]).toEqual([ready, undefined])
    turns.arrived(demo)
    expect(turns.reserve(demo)).toEqual(ready)
  })

  test('is not where others wait, hold the place, or nothing is ready', () => {
    arrive(1)
    expect(turns.reserve(demo)).toBeUndefined()
    turns.follow(1)
    expect(turns.reserve(demo)).toBeUndefined()
    expect(turns.reserve('b'.repeat(32) as DemoId)).toBeUndefined()
  })

  test('stored with where it is sent, and not sent yet, has its turn; one of which that is not sure holds a place', () => {
    turns.lacks(1, endpoint)
    arrive(1, { sent_to: endpoint })
    expect(next()).toBe(1)
    turns.follow(1)
    turns.leave(1, undefined)
    expect([next(), turns.left.map(({ arrival }) => arrival)]).toEqual([undefined, [1]])
  })
})

describe('a place', () => {
  test('is free for the next one once its prediction ended at the instance, though that is not stored', () => {
    for (const arrival of [1, 2]) arrive(arrival)
    turns.follow(1)
    changes.predictionChanged(demo, 1, { running: true })
    expect(next()).toBeUndefined()
    turns.freed(1)
    expect(next()).toBe(2)
  })

  test('is held again by one whose end could not be stored', () => {
    for (const arrival of [1, 2]) arrive(arrival)
    turns.follow(1)
    changes.predictionChanged(demo, 1, { running: true })
    turns.freed(1)
    turns.leave(1, undefined)
    expect([next(), turns.left.map(({ arrival }) => arrival)]).toEqual([undefined, [1]])
  })

  test('is told in the order in which they go: those on their way, then those that wait', async () => {
    for (const arrival of [1, 2, 3]) arrive(arrival)
    turns.follow(1)
    const places = () => Promise.all([1, 2, 3].map((arrival) => turns.placeOf(demo, arrival)))
    expect(await places()).toEqual([1, 2, 3])
    changes.predictionChanged(demo, 1, { running: true })
    expect(await places()).toEqual([undefined, 1, 2])
    turns.leave(1, endpoint)
    changes.predictionChanged(demo, 1, 'ended')
    turns.follow(2)
    turns.leave(2, endpoint)
    expect(await places()).toEqual([undefined, 1, 2])
  })
})

describe('a prediction that is sent ahead', () => {
  const sends = () => {
    const chosen = turns.next()
    if (chosen) turns.follow(chosen.row.arrival, chosen.isAhead)
    return chosen && [chosen.row.arrival, chosen.isAhead]
  }
  beforeEach(() => turns.sendTo(new Map([[demo, { ...ready, ahead: 2 }]])))

  test('waits in line behind those that were sent before it, and gets the place that one of them leaves', () => {
    for (const arrival of [1, 2, 3, 4]) arrive(arrival)
    expect([sends(), sends(), sends(), sends()]).toEqual([[1, false], [2, true], [3, true], undefined])
    expect([1, 2, 3, 4].map((arrival) => turns.placeOf(demo, arrival))).toEqual([1, 2, 3, 4])
    expect(turns.of(demo)).toEqual({ waiting: 1, sent: 3 })
    changes.predictionChanged(demo, 1, { running: true })
    turns.freed(1)
    // The second has the place now, so there is room ahead for one more.
    expect([sends(), sends()]).toEqual([[4, true], undefined])
    changes.predictionChanged(demo, 1, 'ended')
    expect([2, 3, 4].map((arrival) => turns.placeOf(demo, arrival))).toEqual([1, 2, 3])
  })

  test('waits for its turn again where its instance certainly does not have it', () => {
    for (const arrival of [1, 2, 3]) arrive(arrival)
    for (let sent = sends(); sent; sent = sends());
    turns.leave(2, endpoint)
    expect([2, 3].map((arrival) => turns.placeOf(demo, arrival))).toEqual([3, 2])
    expect(sends()).toEqual([2, true])
  })

  test('is stored with where it is sent, as many as are taken', () => {
    arrive(1)
    sends()
    expect([turns.reserve(demo), turns.reserve(demo), turns.reserve(demo)]).toEqual([
      { ...ready, ahead: 2 },
      { ...ready, ahead: 2 },
      undefined,
    ])
  })
})
