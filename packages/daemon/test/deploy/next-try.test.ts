import { expect, test } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import { nextTry } from '../../src/deploy/next-try.ts'

const parts = {
  limits: { ...defaultLimits, reviveAfterMs: [60_000, 300_000] },
  clock: () => Date.parse('2026-11-25T00:00:00Z'),
}

test.each([
  [1, '2026-11-25T00:01:00.000Z'],
  [2, '2026-11-25T00:05:00.000Z'],
  [9, '2026-11-25T00:05:00.000Z'],
])('after %i tries the next is at %s, and its reason says so', (tries, at) => {
  const next = nextTry(parts, tries, 'it exited')
  expect(next).toMatchObject({ tries, next_try_at: at, endpoint: null })
  expect(next.reason).toBe(`It could not be started again: it exited. It is tried again at ${at}`)
})

test('where no waits are set, and where another version can take over, it is tried at once', () => {
  const now = '2026-11-25T00:00:00.000Z'
  expect(nextTry({ ...parts, limits: { ...defaultLimits, reviveAfterMs: [] } }, 1, 'x').next_try_at).toBe(now)
  expect(nextTry(parts, 3, 'x', 0).next_try_at).toBe(now)
})
