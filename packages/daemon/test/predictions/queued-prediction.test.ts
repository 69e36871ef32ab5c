import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { QueueParts } from '../../src/predictions/parts.ts'
import { Places } from '../../src/predictions/places.ts'
import { QueuedPrediction } from '../../src/predictions/queued-prediction.ts'
import { endPrediction } from '../../src/store/predictions.ts'
import { openInMemory } from '../store/in-memory.ts'
import { dispatcherParts, waitingAt } from './instance/instances.ts'

let db: QueueParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('one that is stored, and of which nobody was told yet, waits for who follows it and has not ended', async () => {
  const parts = dispatcherParts(db, () => ({}))
  const places = new Places(parts)
  expect(await parts.open.all()).toEqual([])
  const { row } = await waitingAt(db, 'a', 'http://instance.test')
  const { arrival, id, visitor } = row
  const prediction = new QueuedPrediction({ ...parts, places }, { arrival, id, visitor, demo: row.demo_id })
  const leaving = new AbortController()
  const told: string[] = []
  for await (const { type } of prediction.events(0, leaving.signal)) {
    told.push(type)
    leaving.abort()
  }
  expect(told).toEqual(['queue'])
})

test('who leaves while it runs is told no more, and holds nothing', async () => {
  const parts = dispatcherParts(db, () => ({}))
  const { row } = await waitingAt(db, 'a', 'http://instance.test')
  const { arrival, id, visitor } = row
  await parts.open.upToDate()
  parts.changed.predictionChanged(row.demo_id, arrival, { running: true })
  parts.live.open(arrival)
  const key = { arrival, id, visitor, demo: row.demo_id }
  const leaving = new AbortController()
  const events = new QueuedPrediction({ ...parts, places: new Places(parts) }, key).events(0, leaving.signal)
  const next = events[Symbol.asyncIterator]().next()
  await nextTurn()
  leaving.abort()
  expect(await Promise.race([next, nextTurn()])).toEqual({ done: true, value: undefined })
})

describe('who waits for the end alone', () => {
  test('gets it once it is told, and no place is computed for it', async () => {
    const parts = dispatcherParts(db, () => ({}))
    const places = new Places(parts)
    const follow = vi.spyOn(places, 'follow')
    const { row } = await waitingAt(db, 'a', 'http://instance.test')
    const { arrival, id, visitor } = row
    const prediction = new QueuedPrediction({ ...parts, places }, { arrival, id, visitor, demo: row.demo_id })
    const ended = prediction.ended()
    await nextTurn()
    const snapshot = { ...(await prediction.snapshot()), status: 'canceled' as const }
    parts.changed.predictionChanged(row.demo_id, arrival, { snapshot, lastSeq: 1, size: 1 })
    expect(await ended).toEqual(snapshot)
    expect(follow).not.toHaveBeenCalled()
  })

  test('gets one that is over already, and who leaves before holds nothing', async () => {
    const parts = dispatcherParts(db, () => ({}))
    const { row } = await waitingAt(db, 'a', 'http://instance.test')
    const { arrival, id, visitor, demo_id: demo } = row
    const prediction = new QueuedPrediction(parts, { arrival, id, visitor, demo })
    const leaving = new AbortController()
    const ended = prediction.ended(leaving.signal)
    await nextTurn()
    leaving.abort(new Error('left'))
    await expect(ended).rejects.toThrow('left')
    await endPrediction(db, arrival, { status: 'canceled', completed_at: row.created_at })
    parts.changed.predictionChanged(demo, arrival)
    expect(await prediction.ended()).toMatchObject({ id, status: 'canceled' })
  })
})
