import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Launch } from '../../src/runtime/pool/launch.ts'
import type { Setup } from '../../src/runtime/pool/worker-process.ts'
import { Workers, type WorkersOptions } from '../../src/runtime/pool/workers.ts'
import { childProcesses, eventually } from '../pool.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-workers-'))
})
afterEach(() => rm(home, { recursive: true }))

const launch = (worker: object = {}): Launch => ({
  command: process.execPath,
  args: [join(import.meta.dirname, '../workers/scripted.mjs')],
  cwd: home,
  env: { ...(process.env as Record<string, string>), SETUP: join(home, 'setup'), WORKER: JSON.stringify(worker) },
})
const broken: Launch = { command: '/nowhere/python', args: [], cwd: '/', env: {} }
const usual = {
  setupMs: 60_000,
  backOffMs: [0],
  onSchema: () => undefined,
  onSetup: () => undefined,
  onFree: () => undefined,
}

/** Workers, with how their starts went. */
function start(options: Partial<WorkersOptions> = {}): { workers: Workers; setups: Setup[] } {
  const setups: Setup[] = []
  const workers = new Workers({ ...usual, launch: () => launch(), onSetup: (setup) => setups.push(setup), ...options })
  return { workers, setups }
}

test('a worker takes as many calls as it has slots, and another for each that is given back', async () => {
  const { workers } = start({ launch: () => launch({ slots: 2 }) })
  await using _ = workers
  expect([workers.size, workers.ready, workers.hasFree, workers.take()]).toEqual([1, 0, false, undefined])
  await eventually(() => expect(workers.hasFree).toBe(true))
  const [first, second] = [workers.take(), workers.take()]
  expect([first?.worker === second?.worker, workers.take(), workers.hasFree, workers.ready]).toEqual([
    true,
    undefined,
    false,
    1,
  ])
  first?.[Symbol.dispose]()
  expect(workers.hasFree).toBe(true)
  expect(workers.take()?.worker).toBe(second?.worker)
})

test('more places are filled, each with a worker of its own; fewer are never asked for', async () => {
  const { workers } = start()
  await using _ = workers
  workers.grow(3)
  workers.grow(2)
  expect(workers.size).toBe(3)
  await eventually(() => expect(workers.ready).toBe(3))
  expect(new Set([1, 2, 3].map(() => workers.take()?.worker)).size).toBe(3)
})

test('a worker that ends is followed by another, whose slot the old lease does not give back', async () => {
  const { workers } = start()
  await using _ = workers
  await eventually(() => expect(workers.hasFree).toBe(true))
  const old = workers.take()
  old?.worker.kill()
  await eventually(() => expect(workers.hasFree).toBe(true))
  const next = workers.take()
  expect(next?.worker).not.toBe(old?.worker)
  old?.[Symbol.dispose]()
  expect([workers.hasFree, workers.take()]).toEqual([false, undefined])
})

test('one that cannot be launched is told, and tried again while others serve', async () => {
  let launches = 0
  const { workers, setups } = start({
    launch: () => {
      launches += 1
      if (launches === 1) throw new Error('there is no model')
      return launches === 2 ? broken : launch()
    },
  })
  await using _ = workers
  await eventually(() => expect(workers.ready).toBe(1))
  expect(setups).toMatchObject([
    { status: 'failed', error: 'there is no model', logs: 'there is no model\n' },
    { status: 'failed', error: expect.stringContaining('/nowhere/python could not be started') },
    { status: 'succeeded' },
  ])
})

test('the first may prepare for as long as it takes; those after it are ended when they take much longer', async () => {
  const { workers, setups } = start({ setupMs: 1 })
  await using _ = workers
  await eventually(() => expect(workers.ready).toBe(1))
  await writeFile(join(home, 'setup'), 'hang')
  workers.grow(2)
  await eventually(() => expect(setups).toHaveLength(2))
  expect(setups[1]).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/^it was not ready within \d+ ms$/),
  })
})

test('once they are ended nobody hears of them, none is started, and no process is left', async () => {
  const heard: string[] = []
  let launches = 0
  const workers = new Workers({
    ...usual,
    launch: () => {
      launches += 1
      return launch()
    },
    onSetup: () => heard.push('setup'),
    onSchema: () => heard.push('schema'),
    onFree: () => heard.push('free'),
  })
  workers.grow(2)
  await workers[Symbol.asyncDispose]()
  expect([heard, launches, workers.ready, await childProcesses(home)]).toEqual([[], 2, 0, []])
})
