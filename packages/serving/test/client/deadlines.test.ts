import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Idle } from '../../src/client/deadlines.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('what does not move for as long as it may is aborted, with how long that was', () => {
  using idle = new Idle(2000)
  vi.advanceTimersByTime(1999)
  expect(idle.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(idle.signal.reason).toMatchObject({ message: 'nothing moved for 2 s' })
})

test('each touch gives it the whole time again', () => {
  using idle = new Idle(2000)
  vi.advanceTimersByTime(1999)
  idle.touch()
  vi.advanceTimersByTime(1999)
  expect(idle.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(idle.signal.aborted).toBe(true)
})

test('bytes that are watched pass unchanged, and each part is a touch', async () => {
  using idle = new Idle(2000)
  const parts = [new Uint8Array([1]), new Uint8Array([2, 3])]
  const slow = (async function* () {
    for (const part of parts) {
      vi.advanceTimersByTime(1999)
      yield part
    }
  })()
  expect(await buffer(idle.watching(slow))).toEqual(Buffer.from([1, 2, 3]))
  vi.advanceTimersByTime(1999)
  expect(idle.signal.aborted).toBe(false)
})

test('once it is disposed nothing is aborted, and no timer is left', () => {
  const idle = new Idle(2000)
  idle[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(2000)
  expect(idle.signal.aborted).toBe(false)
})
