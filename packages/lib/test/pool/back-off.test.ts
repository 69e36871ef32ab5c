import { expect, test, vi } from 'vitest'
import type { Setup } from '../../src/runtime/pool/worker-process.ts'
import { Workers } from '../../src/runtime/pool/workers.ts'

const { pauses, ends } = vi.hoisted(() => ({ pauses: [] as number[], ends: new Set<() => void>() }))
/** A clock whose pauses are over at once. The sixth lasts until it is aborted. */
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number, _value: unknown, { signal }: { signal: AbortSignal }) => {
    pauses.push(ms)
    if (pauses.length < 6) return Promise.resolve()
    for (const end of ends) end()
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
}))

test('a place whose worker never starts pauses for longer each time, and then for the last pause again', async () => {
  const sixth = Promise.withResolvers<void>()
  ends.add(sixth.resolve)
  const setups: Setup[] = []
  const workers = new Workers({
    ...{ setupMs: 60_000, backOffMs: [10, 200, 3000], onSchema: () => undefined, onFree: () => undefined },
    launch: () => {
      throw new Error('there is no model')
    },
    onSetup: (setup) => setups.push(setup),
  })
  await sixth.promise
  expect(pauses).toEqual([10, 200, 3000, 3000, 3000, 3000])
  expect(setups).toHaveLength(6)
  await workers[Symbol.asyncDispose]()
  expect(pauses).toHaveLength(6)
})
