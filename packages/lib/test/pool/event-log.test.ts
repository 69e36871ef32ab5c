import { expect, test } from 'vitest'
import { EventLog, lengthOf, withoutReplaced } from '../../src/runtime/pool/event-log.ts'
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

test('what is replaced goes where its bytes are many; what is of use stays, however much it is', () => {
  const log = new EventLog()
  const mebibyte = 'x'.repeat(1024 ** 2)
  const part = (mode: 'append' | 'replace', chunk: string) =>
    log.add({ type: 'output', data: { field: 'said', mode, chunk, index: 0 } })
  for (let at = 0; at < 4; at += 1) part('replace', mebibyte)
  expect([log.next(0)?.seq, log.bytes]).toEqual([4, 1024 ** 2 + 200])
  for (let at = 0; at < 8; at += 1) part('append', mebibyte)
  expect([log.next(0)?.seq, log.next(4)?.seq, log.bytes]).toEqual([4, 5, 9 * (1024 ** 2 + 200)])
})

test('the size of a value is the length of its JSON', () => {
  for (const value of [{}, [], { a: 'bc', d: [1, -2.5, null, true], e: { f: [] } }, [['x'], {}], 12, false, null])
    expect(lengthOf(value)).toBe(JSON.stringify(value).length)
  expect([lengthOf('text'), lengthOf(undefined)]).toEqual([4, 0])
})
