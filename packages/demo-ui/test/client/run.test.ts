import type { DemoSchema, PredictionSnapshot } from '@origami/protocol/demo'
import { describe, expect, test } from 'vitest'
import type { FollowEvent } from '../../src/client/follow.ts'
import { afterEvent, type DemoRun, isRunActive, sendingRun, withSnapshot } from '../../src/client/run.ts'

const field = (name: string) => ({ name, label: name, component: 'text' as const, options: {}, required: false })
const schema: DemoSchema = {
  api: 1,
  title: 'Poet',
  description: '',
  inputs: [field('prompt')],
  outputs: [field('poem'), field('mood')],
  examples: [],
  streaming: true,
  concurrency: 1,
}
const at = Date.parse('2026-11-30T12:00:00Z')
const time = (second: number) => new Date(at + second * 1000).toISOString()
const stored: PredictionSnapshot = {
  id: 'prediction',
  status: 'starting',
  input: { prompt: 'sea' },
  output: null,
  error: null,
  reason: null,
  logs: '',
  metrics: {},
  created_at: time(0),
  started_at: null,
  completed_at: null,
  deployment: null,
  commit: null,
  queue: { position: 2, eta: 40 },
}
const sent = sendingRun('run', { prompt: 'sea' })
const after = (run: DemoRun, now: number, ...events: FollowEvent[]) =>
  events.reduce((before, event) => afterEvent(before, event, schema, now), run)
const start: FollowEvent = { type: 'start', seq: 1, data: { id: 'prediction', status: 'processing' } }
const log = (data: string): FollowEvent => ({ type: 'log', seq: 2, data: { source: 'stdout', data } })
const part = (field: string, mode: 'append' | 'replace', chunk: unknown): FollowEvent => ({
  type: 'output',
  seq: 3,
  data: { field, mode, chunk, index: 0 },
})

describe('a run', () => {
  test('waits where the server says, until it starts', () => {
    const waiting = withSnapshot(sent, stored, schema, at)
    expect(waiting).toMatchObject({ id: 'prediction', phase: 'waiting', queue: { position: 2 }, since: undefined })
    const next: FollowEvent = { type: 'queue', data: { position: 1, eta: 20 } }
    expect(after(waiting, at, next)).toMatchObject({ phase: 'waiting', queue: { position: 1 } })
    const running = after(waiting, at, start)
    expect(running).toMatchObject({ phase: 'running', queue: null, since: at })
    expect(after(running, at, next), 'a place that came late').toBe(running)
  })

  test('grows by its parts and its log, of which the end is kept', () => {
    const run = after(sent, at, start, part('poem', 'append', 'a'), part('poem', 'append', 'b'), log('x\n'))
    expect(run).toMatchObject({ fields: { poem: 'ab' }, log: 'x\n' })
    expect(after(run, at, part('poem', 'replace', 'c'))).toMatchObject({ fields: { poem: 'c' } })
    const long = after(run, at, log('y'.repeat(300_000)), log('end'))
    expect([long.log.length, long.log.endsWith('end')]).toEqual([262_144, true])
  })

  test('is timed by the server where it says, else by this page from its start', () => {
    const running = after(sent, at, start)
    const end = { ...stored, status: 'succeeded', output: { poem: 'a', mood: 'b' }, completed_at: time(9) } as const
    expect(withSnapshot(running, { ...end, metrics: { predict_time: 0 } }, schema, at + 5000).seconds).toBe(0)
    expect(withSnapshot(running, end, schema, at + 5000).seconds).toBe(5)
    expect(withSnapshot(sent, end, schema, at + 5000).seconds).toBeUndefined()
  })

  test('that began before the page was opened counts from then; a clock that is behind counts from now', () => {
    const processing = { ...stored, status: 'processing', started_at: time(-30) } as const
    expect(withSnapshot(sent, processing, schema, at).since).toBe(at - 30_000)
    expect(withSnapshot(sent, { ...processing, started_at: time(30) }, schema, at).since).toBe(at)
    expect(withSnapshot(after(sent, at + 1, start), processing, schema, at + 2).since).toBe(at + 1)
  })

  test('that failed keeps what it gave and printed, though its end says less', () => {
    const running = after(sent, at, start, part('poem', 'append', 'half'), log('a long line\n'))
    const failed = { ...stored, status: 'failed', error: 'Sad.', reason: 'error', logs: 'short' } as const
    expect(after(running, at, { type: 'completed', seq: 4, data: failed })).toMatchObject({
      phase: 'failed',
      fields: { poem: 'half' },
      log: 'a long line\n',
      error: 'Sad.',
      progress: null,
    })
  })

  test('that succeeded shows what it ended with, and nothing of before', () => {
    const running = after(sent, at, start, part('poem', 'append', 'half'))
    const snapshot = { ...stored, status: 'succeeded', output: { poem: 'whole', mood: 'calm' } } as const
    expect(withSnapshot(running, snapshot, schema, at).fields).toEqual({ poem: 'whole', mood: 'calm' })
    expect(withSnapshot(running, { ...snapshot, output: null }, schema, at).fields).toEqual({})
  })

  test('whose line is down is active still; one that is gone is not', () => {
    const down = after(sent, at, start, { type: 'line', data: { up: false } })
    expect([down.lineUp, isRunActive(down)]).toEqual([false, true])
    expect(withSnapshot(down, stored, schema, at).lineUp).toBe(true)
    const gone = after(down, at, { type: 'gone' })
    expect([gone.reason, gone.error, isRunActive(gone)]).toEqual([
      'gone',
      'This prediction is not kept any more.',
      false,
    ])
  })
})
