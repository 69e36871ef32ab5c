import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newPredictionId } from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { WorkerCall, type WorkerCallOptions } from '../../src/runtime/pool/call.ts'
import { CountedFiles } from '../../src/runtime/pool/counted-files.ts'
import { Run } from '../../src/runtime/pool/run.ts'
import { type CallEvent, WorkerProcess } from '../../src/runtime/pool/worker-process.ts'
import { eventually } from '../pool.ts'
import { schema } from './runs.ts'

let home: string
let worker: WorkerProcess
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-call-'))
  worker = new WorkerProcess({
    command: process.execPath,
    args: [join(import.meta.dirname, '../workers/scripted.mjs')],
    cwd: home,
    env: { ...(process.env as Record<string, string>), TMPDIR: home },
  })
  await worker.setup
})
afterEach(async () => {
  await worker[Symbol.asyncDispose]()
  await rm(home, { recursive: true })
})

function call(say: string, options: Partial<WorkerCallOptions> = {}): { call: WorkerCall; run: Run } {
  const files = new CountedFiles(new FolderFiles(join(home, 'files'), { maxFileBytes: () => 1000 }))
  const run = new Run(newPredictionId(), { say }, schema, () => undefined)
  return { call: new WorkerCall(run, worker, { schema, files, timeoutMs: 60_000, graceMs: 60_000, ...options }), run }
}

/** What became of it. */
async function outcome(say: string, options: Partial<WorkerCallOptions> = {}): Promise<Record<string, unknown>> {
  const made = call(say, options)
  const ended = await made.call.perform()
  const { status, reason, error, output } = await made.run.snapshot()
  return { ended, status, reason, error, output }
}

describe('a call', () => {
  test('ends with what its model gave, and its folder for files goes with it', async () => {
    // Others make such folders at the same time.
    const temporary = join(home, 'temporary')
    await mkdir(temporary)
    vi.stubEnv('TMPDIR', temporary)
    expect(await outcome('file')).toMatchObject({ status: 'succeeded', output: { said: 'file' } })
    expect(await readdir(temporary)).toEqual([])
    vi.unstubAllEnvs()
    expect(await outcome('again')).toMatchObject({ status: 'succeeded' })
  })

  test('that fails in its model keeps what it gave, and says why and where', async () => {
    const made = call('parts, then fail')
    expect(await made.call.perform()).toBe('ended')
    const types: string[] = []
    for await (const { type } of made.run.events()) types.push(type)
    expect(types).toEqual(['start', 'progress', 'output', 'output', 'log', 'completed'])
    const { logs, ...snapshot } = await made.run.snapshot()
    expect(snapshot).toMatchObject({ reason: 'error', error: 'no more', output: { said: 'ab' } })
    expect(logs).toContain('at line 3: no more')
  })

  test('of a demo without files has no folder for them', async () => {
    const [only] = schema.outputs
    const withoutFiles = { ...schema, outputs: only ? [only] : [] }
    expect(await outcome('outbox', { schema: withoutFiles })).toMatchObject({
      status: 'succeeded',
      output: { said: '' },
    })
    expect((await outcome('outbox')).output).toMatchObject({ said: expect.stringContaining('origami-out-') })
  })

  test('that was stopped before its worker had it is canceled, and the worker never hears of it', async () => {
    const made = call('die')
    made.call.stop('cancel')
    expect(await made.call.perform()).toBe('ended')
    expect((await made.run.snapshot()).status).toBe('canceled')
    expect([worker.isOpen, worker.hasServed]).toEqual([true, false])
  })

  test.each([
    ['cancel', 'canceled', null],
    ['timeout', 'failed', 'timeout'],
    ['shutdown', 'failed', 'interrupted'],
  ] as const)('that is stopped by %s is %s, and its worker takes the next', async (why, status, reason) => {
    const made = call('wait')
    const performed = made.call.perform()
    await eventually(() => expect(worker.calls.size).toBe(1))
    made.call.stop(why)
    made.call.stop('cancel')
    await performed
    expect(await made.run.snapshot()).toMatchObject({ status, reason })
    expect(await outcome('next')).toMatchObject({ status: 'succeeded' })
  })

  test.each([
    ['not_begun', 'not begun', 'starting', null],
    ['crashed', 'ended', 'failed', expect.any(String)],
  ] as const)('of a runtime that ends, whose worker says %s, has a start where it may have begun', async (...row) => {
    const [type, ended, status, started_at] = row
    const held = Promise.withResolvers<(event: CallEvent) => void>()
    vi.spyOn(worker, 'predict').mockImplementation((_call, take) => held.resolve(take))
    const made = call('x')
    const performed = made.call.perform()
    const take = await held.promise
    made.call.stop('shutdown')
    take({ type, error: 'gone' })
    expect(await performed).toBe(ended)
    expect(await made.run.snapshot()).toMatchObject({ status, started_at })
  })

  test('that runs too long is stopped by itself, and says how long it may', async () => {
    expect(await outcome('wait', { timeoutMs: 1 })).toMatchObject({
      reason: 'timeout',
      error: 'It ran longer than the 0.001 s that one prediction may.',
    })
  })

  test('whose model goes on is ended with its process, and is canceled all the same', async () => {
    const made = call('ignore', { graceMs: 1 })
    const performed = made.call.perform()
    await eventually(() => expect(worker.calls.size).toBe(1))
    made.call.stop('cancel')
    await performed
    expect((await made.run.snapshot()).status).toBe('canceled')
    expect(await worker.exited).toBe('a prediction in it was to end but went on, so the process was ended')
  })

  test('whose worker is gone was not begun; one that was begun crashed', async () => {
    expect(await outcome('die')).toMatchObject({
      ended: 'ended',
      reason: 'crashed',
      error: "The model's process died: the model's process exited with code 7",
    })
    expect(await outcome('x')).toMatchObject({ ended: 'not begun', status: 'starting' })
  })

  test.each([
    ['lost part', 'output copy: expected a file, but nothing.txt is not there'],
    ['grows', 'output said: it grew beyond 33554432 characters'],
  ])('whose parts cannot be taken ends with why, once its worker is free again: %s', async (say, error) => {
    expect(await outcome(say)).toMatchObject({ reason: 'error', error })
    expect(worker.calls.size).toBe(0)
    expect(await outcome('next')).toMatchObject({ status: 'succeeded' })
  })

  test.each([
    ['wrong value', 'The model gave a wrong output: said: expected text, got 5'],
    ['link', 'output copy: expected a file, but out.txt is a link'],
    ['folder', 'is none'],
  ])('whose output is none fails with why: %s', async (say, error) => {
    expect(await outcome(say)).toMatchObject({ reason: 'error', error: expect.stringContaining(error) })
  })
})
