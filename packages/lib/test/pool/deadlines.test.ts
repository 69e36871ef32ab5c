import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Deadlines } from '../../src/runtime/pool/deadlines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function three() {
  const expired: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ expire: () => void expired.push(name) }))
  if (!a || !b || !c) throw new Error('three were made')
  return { deadlines: new Deadlines(), expired, a, b, c }
}

test('each expires at its own deadline, whatever the order in which they were set', () => {
  const { deadlines, expired, a, b, c } = three()
  deadlines.set(a, 200)
  deadlines.set(b, 100)
  deadlines.set(c, 300)
  vi.advanceTimersByTime(99)
  expect(expired).toEqual([])
  vi.advanceTimersByTime(1)
  expect(expired).toEqual(['b'])
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(['b', 'a'])
  vi.advanceTimersByTime(100)
  expect(expired).toEqual(['b', 'a', 'c'])
  expect(vi.getTimerCount()).toBe(0)
})

test('one that was cleared does not expire, and one that is set anew counts from then', () => {
  const { deadlines, expired, a, b, c } = three()
  deadlines.set(a, 100)
  deadlines.set(b, 100)
  deadlines.clear(a)
  vi.advanceTimersByTime(50)
  deadlines.set(b, 100)
  vi.advanceTimersByTime(99)
  expect(expired).toEqual([])
  deadlines.set(c, 1)
  vi.advanceTimersByTime(1)
  expect(expired.toSorted()).toEqual(['b', 'c'])
})
