import type { PredictionEvent } from '@origami/protocol/demo'
import { afterEach, expect, test, vi } from 'vitest'
import type { Run } from '../../src/runtime/pool/run.ts'
import { newRun } from './runs.ts'

async function eventsOf(run: Run, after = 0): Promise<PredictionEvent[]> {
  const events: PredictionEvent[] = []
  for await (const event of run.events(after)) events.push(event)
  return events
}

afterEach(() => {
  vi.useRealTimers()
})

test('ends once: what comes later changes nothing', async () => {
  const run = newRun()
  run.start()
  run.succeed({ said: 'yes' })
  run.fail('crashed', 'too late')
  run.canceled()
  expect(await run.snapshot()).toMatchObject({ status: 'succeeded', output: { said: 'yes' }, error: null })
  expect((await eventsOf(run)).map(({ type }) => type)).toEqual(['start', 'completed'])
  expect(await run.cancel()).toBe(false)
})

test('who follows after a number gets what came later, and the end', async () => {
  const run = newRun()
  run.start()
  run.part('said', 'append', 'a')
  run.part('said', 'append', 'b')
  run.succeed({ said: 'ab' })
  const later = await eventsOf(run, 2)
  expect(later.map((event) => ('seq' in event ? [event.seq, event.type] : event.type))).toEqual([
    [3, 'output'],
    [4, 'completed'],
  ])
  expect(await eventsOf(run, 4)).toEqual([])
})

test('was followed once somebody took its end and asked for more; who left at the end may not have it', async () => {
  const run = newRun()
  run.succeed({ said: 'x' })
  for await (const event of run.events()) if (event.type === 'completed') break
  expect(run.wasFollowed).toBe(false)
  await eventsOf(run)
  expect(run.wasFollowed).toBe(true)
})

test('what a model prints without end is kept in its last part alone', async () => {
  const run = newRun()
  run.start()
  for (let line = 0; line < 3000; line += 1) run.print('stdout', `${String(line).padStart(99, '0')}\n`)
  const { logs } = await run.snapshot()
  expect([logs.length, logs.endsWith('2999\n')]).toEqual([64 * 1024, true])
  run.canceled()
  expect((await eventsOf(run)).filter(({ type }) => type === 'log')).toHaveLength(2000)
})

test('of a few long lines only a mebibyte becomes events', async () => {
  const run = newRun()
  run.start()
  for (const length of [1024 ** 2 - 1, 1, 1]) run.print('stderr', 'x'.repeat(length))
  run.canceled()
  expect((await eventsOf(run)).filter(({ type }) => type === 'log')).toHaveLength(2)
})

test('who follows one that waits is told each place once, and none after it began', async () => {
  const run = newRun()
  run.wait(2)
  const events = run.events()[Symbol.asyncIterator]()
  const place = (position: number) => ({ value: { type: 'queue', data: { position, eta: null } } })
  expect(await events.next()).toMatchObject(place(2))
  run.wait(2)
  run.wait(1)
  expect(await events.next()).toMatchObject(place(1))
  run.wait(3)
  run.start()
  expect(await events.next()).toMatchObject({ value: { type: 'start' } })
  expect((await run.snapshot()).queue).toBeNull()
})

test('that a second worker took up started once, and its time runs from then', async () => {
  const run = newRun()
  run.start()
  const { started_at } = await run.snapshot()
  run.start()
  run.succeed({ said: 'x' })
  const { started_at: later, completed_at, metrics } = await run.snapshot()
  expect(later).toBe(started_at)
  expect(metrics.predict_time).toBe((Date.parse(completed_at ?? '') - Date.parse(started_at ?? '')) / 1000)
  expect((await eventsOf(run)).map(({ type }) => type)).toEqual(['start', 'completed'])
})

test('what it takes in memory grows with what came in, was printed and was given', () => {
  const run = newRun()
  const sizes = [run.bytes]
  run.print('stdout', 'x'.repeat(1000))
  sizes.push(run.bytes)
  run.part('said', 'append', 'x'.repeat(1000))
  sizes.push(run.bytes)
  run.succeed({ said: 'x'.repeat(1000) })
  sizes.push(run.bytes)
  const grown = sizes.slice(1).map((size, at) => Math.floor((size - (sizes[at] ?? 0)) / 1000))
  expect(grown).toEqual([2, 1, 1])
})

test('writes its times as dates do, whichever second was written before', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const times = [
    '2026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.999Z',
    '2026-01-01T00:00:01.007Z',
    '2025-12-31T23:59:59.040Z',
  ]
  for (const time of times) {
    vi.setSystemTime(time)
    expect((await newRun().snapshot()).created_at).toBe(time)
  }
})
