import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  addEvent,
  deleteEvents,
  eventsAfter,
  sweepCrowdedEvents,
  sweepOldEvents,
  wasRemoved,
} from '../../src/store/events.ts'
import type { Db } from '../../src/store/open.ts'
import { at, demo, openInMemory } from './in-memory.ts'

let db: Db
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

const other = 'e'.repeat(32) as DemoId
const event = { demo, deployment: null, from: null, to: 'queued', reason: null, at }
/** As many events as are named, numbered from 1. */
async function added(...events: Partial<Parameters<typeof addEvent>[1]>[]): Promise<void> {
  for (const change of events) await addEvent(db, { ...event, ...change })
}
const numbers = async () => (await eventsAfter(db, 0)).map(({ seq }) => seq)

describe('events', () => {
  test('come back as they were stored, numbered in order', async () => {
    const first = { ...event, deployment: 'x' as DeploymentId, from: 'building', to: 'build_failed', reason: 'no disk' }
    await added(first, {})
    expect(await eventsAfter(db, 0)).toEqual([
      { seq: 1, ...first },
      { seq: 2, ...event },
    ])
  })

  test('come after a number, at most so many', async () => {
    await added({}, {}, {}, {})
    expect((await eventsAfter(db, 1, 2)).map(({ seq }) => seq)).toEqual([2, 3])
    expect(await eventsAfter(db, 4)).toEqual([])
  })

  test('tell whether a demo was removed', async () => {
    await added({ to: 'removed', demo: other }, { to: 'stopped' })
    expect([await wasRemoved(db, demo), await wasRemoved(db, other)]).toEqual([false, true])
  })
})

describe('a sweep of events', () => {
  const later = '2026-11-25T00:00:01.000Z'

  test('removes those from before a time, at most so many', async () => {
    await added({}, {}, {}, { at: later })
    expect(await sweepOldEvents(db, later, 2)).toBe(2)
    expect(await sweepOldEvents(db, later, 2)).toBe(1)
    expect(await numbers()).toEqual([4])
    expect(await sweepOldEvents(db, later, 2)).toBe(0)
  })

  test('removes the oldest beyond the newest that are kept, at most so many', async () => {
    await added({}, {}, {}, {}, {})
    expect(await sweepCrowdedEvents(db, 2, 2)).toBe(2)
    expect(await numbers()).toEqual([3, 4, 5])
    expect(await sweepCrowdedEvents(db, 2, 2)).toBe(1)
    expect(await sweepCrowdedEvents(db, 2, 2)).toBe(0)
    expect(await numbers()).toEqual([4, 5])
  })

  test('of none removes none', async () => {
    expect(await sweepCrowdedEvents(db, 0, 10)).toBe(0)
  })

  test('of a demo removes its own alone, at most so many', async () => {
    await added({}, { demo: other }, {}, {})
    expect(await deleteEvents(db, demo, 2)).toBe(2)
    expect(await deleteEvents(db, demo, 2)).toBe(1)
    expect(await numbers()).toEqual([2])
  })
})
