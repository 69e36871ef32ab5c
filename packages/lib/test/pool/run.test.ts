import type { PredictionEvent } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import type { Run } from '../../src/runtime/pool/run.ts'
import { newRun } from './runs.ts'

async function eventsOf(run: Run, after = 0): Promise<PredictionEvent[]> {
  const events: PredictionEvent[] = []
  for await (const event of run.events(after)) events.push(event)
  return events
}

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
