import { expect, test } from 'vitest'
import { EventLog, withoutReplaced } from '../../src/runtime/pool/event-log.ts'
import { compactable, replacing } from './events.ts'

test('of a long run what newer events replaced is left out, and numbers stay', () => {
  expect(withoutReplaced(compactable)).toEqual(replacing)
})

test('a follower gets the oldest event after the number it saw, also where those between are gone', () => {
  const log = new EventLog()
  log.add({ type: 'progress', data: { done: 0, total: null, note: null } })
  for (let done = 1; done <= 10_000; done += 1) log.add({ type: 'progress', data: { done, total: null, note: null } })
  expect(log.last).toBe(10_001)
  expect(log.next(3)).toMatchObject({ seq: 10_001, data: { done: 10_000 } })
  expect(log.next(10_001)).toBeUndefined()
})
