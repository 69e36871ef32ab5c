import { readFileSync } from 'node:fs'
import type { Prediction } from '@origami/serving'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WorkerProcess } from '../src/runtime/pool/worker-process.ts'
import { endOf, eventually, type Pool, started, startPool } from './pool.ts'

/** A pool of one worker that holds a prediction, with these behind it. */
async function behind(pool: Pool, held: string, ...texts: string[]): Promise<[Prediction, ...Prediction[]]> {
  await pool.health({ status: 'READY', ahead: 16 })
  const first = await pool.submit(held)
  // It may have ended already where its time is short.
  await eventually(async () => expect((await first.snapshot()).status).not.toBe('starting'))
  const others: Prediction[] = []
  for (const text of texts) others.push(await pool.submit(text))
  return [first, ...others]
}

const places = async (predictions: readonly Prediction[]) =>
  (await Promise.all(predictions.map((one) => one.snapshot()))).map(({ status, queue }) => [status, queue?.position])

test('some are written to a worker ahead; they wait in line until it begins them, one after the other', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [first, ...others] = await behind(pool, 'wait', 'a', 'b', 'wait', 'c', 'd', 'e')
  expect(await places([first, ...others])).toEqual([
    ['processing', undefined],
    ...[1, 2, 3, 4, 5, 6].map((place) => ['starting', place]),
  ])
  expect((await pool.predictor.health()).status).toBe('BUSY')
  await first.cancel()
  const [a, b, second, c, d, e] = others
  if (!a || !b || !second || !c || !d || !e) throw new Error('six were submitted')
  await started(second)
  expect([(await endOf(a)).status, (await endOf(b)).status]).toEqual(['succeeded', 'succeeded'])
  expect(await places([c, d, e])).toEqual([1, 2, 3].map((place) => ['starting', place]))
  await second.cancel()
  for (const one of [c, d, e]) expect((await endOf(one)).status).toBe('succeeded')
  expect(pool.launches()).toBe(1)
})

test('a worker that dies takes only the prediction with it that it had begun; those ahead keep their places', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [first, dead, ...others] = await behind(pool, 'wait', 'die', 'a', 'b', 'wait', 'c')
  await first.cancel()
  expect(await endOf(dead as Prediction)).toMatchObject({ status: 'failed', reason: 'crashed' })
  const [a, b, held, c] = others
  if (!a || !b || !held || !c) throw new Error('four were submitted')
  expect(await endOf(a)).toMatchObject({ status: 'succeeded', output: 'a' })
  expect(await endOf(b)).toMatchObject({ status: 'succeeded', output: 'b' })
  await started(held)
  expect(await places([c])).toEqual([['starting', 1]])
  await held.cancel()
  expect((await endOf(c)).status).toBe('succeeded')
  expect(pool.launches()).toBe(2)
})

test('one that is canceled ahead ends at once and never runs, while the one before it goes on', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [first, deadly, next] = await behind(pool, 'wait', 'die', 'next')
  expect(await deadly?.cancel()).toBe(true)
  expect((await deadly?.snapshot())?.status).toBe('canceled')
  expect((await first.snapshot()).status).toBe('processing')
  expect(await places([next as Prediction])).toEqual([['starting', 1]])
  await first.cancel()
  expect((await endOf(next as Prediction)).status).toBe('succeeded')
  expect(pool.launches()).toBe(1)
})

test('a worker that hangs is ended for the one in it; those ahead are answered by the next, in order', async () => {
  await using pool = await startPool({ ahead: 4, manifest: { timeout: 0.1 } })
  const [hanging, ...others] = await behind(pool, 'ignore', 'a', 'b', 'c')
  expect(await endOf(hanging)).toMatchObject({ status: 'failed', reason: 'timeout' })
  const ends = await Promise.all(others.map(endOf))
  expect(ends.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  const begun = ends.map(({ started_at }) => started_at ?? '')
  expect(begun).toEqual(begun.toSorted())
  expect(pool.launches()).toBe(2)
})

test('the timeout of one begins when it does, not when it was written', async () => {
  await using pool = await startPool({ ahead: 4, manifest: { timeout: 0.2 } })
  const [first, ...others] = await behind(pool, 'wait', 'wait', 'x')
  const ends = await Promise.all([first, ...others].map(endOf))
  expect(ends.map(({ reason, started_at }) => [reason, started_at !== null])).toEqual([
    ['timeout', true],
    ['timeout', true],
    [null, true],
  ])
})

test('what one prints before the end of the one before it was heard is its own', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [held, first, second] = await behind(pool, 'wait', 'end late', 'x')
  await held.cancel()
  expect(await endOf(first as Prediction)).toMatchObject({ status: 'succeeded', logs: 'of the first\n' })
  const { logs } = await endOf(second as Prediction)
  expect([logs.includes('of the second\n'), logs.includes('an error of the second\n')]).toEqual([true, true])
})

test('when the runtime ends, each that it has ends: one that never began says so by having no start', async () => {
  const pool = await startPool({ ahead: 4 })
  const [held, ...waiting] = await behind(pool, 'wait', 'a', 'b', 'c', 'd', 'e', 'f')
  await pool[Symbol.asyncDispose]()
  const ends = await Promise.all([held, ...waiting].map(endOf))
  expect(ends.map(({ reason, started_at, error }) => [reason, started_at !== null, error])).toEqual([
    ['interrupted', true, 'The runtime was stopped while it ran.'],
    ...waiting.map(() => ['interrupted', false, 'The runtime was stopped before it began.']),
  ])
})

test('when the runtime ends, one that its worker began meanwhile has a start', async () => {
  const pool = await startPool({ ahead: 4 })
  const [held, began, never] = await behind(pool, 'wait', 'die', 'never')
  const [pid] = await pool.pids()
  await held.cancel()
  await new Promise<void>((resolve) => process.nextTick(resolve))
  // Nothing is heard meanwhile: the worker ends the first, begins the second, and is gone.
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  await pool[Symbol.asyncDispose]()
  const ends = await Promise.all([began as Prediction, never as Prediction].map(endOf))
  expect(ends.map(({ reason, started_at }) => [reason, started_at !== null])).toEqual([
    ['interrupted', true],
    ['interrupted', false],
  ])
})

test('a model that is loaded anew answers those that its earlier worker had ahead', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [held, ...others] = await behind(pool, 'wait', 'a', 'b')
  pool.predictor.reload()
  expect((await endOf(held)).reason).toBe('crashed')
  for (const one of others) expect((await endOf(one)).status).toBe('succeeded')
})

test('a worker with slots has some ahead too: each begins when one ended, and a death takes those that run', async () => {
  await using pool = await startPool({ slots: 2, concurrency: 2, ahead: 4 })
  const [first, ...others] = await behind(pool, 'wait', 'wait', 'a', 'b', 'die', 'c')
  const [second, a, b, dead, c] = others
  if (!second || !a || !b || !dead || !c) throw new Error('five were submitted')
  await started(second)
  expect(await places([a, b, dead, c])).toEqual([1, 2, 3, 4].map((place) => ['starting', place]))
  await first.cancel()
  const ends = await Promise.all([second, a, b, dead, c].map(endOf))
  expect(ends.map(({ status, reason }) => reason ?? status)).toEqual([
    'crashed',
    'succeeded',
    'succeeded',
    'crashed',
    'succeeded',
  ])
  expect(pool.launches()).toBe(2)
})

test('nothing is written ahead where several workers could be free first', async () => {
  await using pool = await startPool({ ahead: 4, concurrency: 2 })
  await pool.health({ workers: { ready: 2, of: 2 }, ahead: 16 })
  const [first, second] = [await pool.submit('wait'), await pool.submit('wait')]
  await Promise.all([started(first), started(second)])
  const third = await pool.submit('x')
  await second.cancel()
  await eventually(async () => expect((await third.snapshot()).status).toBe('succeeded'))
  expect((await first.snapshot()).status).toBe('processing')
})

test('one that a worker may have begun is not run again, though the worker died before that was heard', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [first, dead] = await behind(pool, 'wait', 'die')
  const [pid] = await pool.pids()
  await first.cancel()
  await new Promise<void>((resolve) => process.nextTick(resolve))
  // Nothing is heard meanwhile: the worker ends the first, begins the second, and is gone.
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  const next = await pool.submit('next')
  expect(await endOf(dead as Prediction)).toMatchObject({ status: 'failed', reason: 'crashed' })
  expect(await endOf(next)).toMatchObject({ status: 'succeeded', output: 'next' })
  expect(pool.launches()).toBe(2)
})

test('one that ended before its worker died has its answer, though that was heard only after a write had failed', async () => {
  await using pool = await startPool({ ahead: 4 })
  const [first, answered, dead] = await behind(pool, 'wait', 'answered', 'die')
  const [pid] = await pool.pids()
  await first.cancel()
  await new Promise<void>((resolve) => process.nextTick(resolve))
  // Nothing is heard meanwhile: the worker answers the second, begins the third, and is gone.
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  const next = await pool.submit('next')
  expect(await endOf(answered as Prediction)).toMatchObject({ status: 'succeeded', output: 'answered' })
  expect(await endOf(dead as Prediction)).toMatchObject({ status: 'failed', reason: 'crashed' })
  expect(await endOf(next)).toMatchObject({ status: 'succeeded', output: 'next' })
})

test.each([
  ['of small inputs', 10, 1 + 5],
  ['of large inputs, which are in memory twice then,', 90_000, 1 + 3],
])('%s only so many are written to a worker', async (_what, length, written) => {
  const predict = vi.spyOn(WorkerProcess.prototype, 'predict')
  onTestFinished(() => predict.mockRestore())
  await using pool = await startPool({ ahead: 8 })
  const texts = Array.from({ length: 12 }, () => 'x'.repeat(length))
  const [first, ...others] = await behind(pool, 'wait', ...texts)
  expect(predict).toHaveBeenCalledTimes(written)
  await first.cancel()
  for (const one of others) expect((await endOf(one)).status).toBe('succeeded')
})
