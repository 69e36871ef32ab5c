import { expect, test, vi } from 'vitest'
import { repeat } from '../../src/upkeep/repeat.ts'

/** Repeats without a pause and stops after `times` times. */
async function repeated(times: number, work: (time: number) => void): Promise<number[]> {
  const leaving = new AbortController()
  const did: number[] = []
  await repeat(
    'it failed',
    () => 0,
    async () => {
      did.push(did.length)
      if (did.length === times) leaving.abort()
      work(did.length)
    },
    leaving.signal,
  )
  return did
}

test('work is repeated until its signal aborts', async () => {
  expect(await repeated(3, () => {})).toEqual([0, 1, 2])
})

test('what fails once is logged, and repeated all the same', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const fails = (time: number) => {
    if (time === 1) throw new Error('the disk is full')
  }
  expect(await repeated(3, fails)).toEqual([0, 1, 2])
  expect(logged.mock.calls.map(([what]) => String(what))).toEqual([expect.stringContaining('it failed')])
  logged.mockRestore()
})

test('the first time is after a wait, which is read anew before each', async () => {
  const leaving = new AbortController()
  const waits: number[] = []
  let did = 0
  const between = () => {
    waits.push(did)
    if (did === 2) leaving.abort()
    return 0
  }
  await repeat('it failed', between, async () => (did += 1), leaving.signal)
  expect([waits, did]).toEqual([[0, 1, 2], 2])
})

test('a long wait ends with its signal, and nothing is done any more', async () => {
  const leaving = new AbortController()
  let did = 0
  const repeating = repeat(
    'it failed',
    () => 1_000_000,
    async () => (did += 1),
    leaving.signal,
  )
  leaving.abort()
  await repeating
  expect(did).toBe(0)
})
