import { expect, test, vi } from 'vitest'
import { endOf, eventually, started, startPool } from './pool.ts'

test('a worker that cannot be started after the first leaves the others serving, and is tried until it can', async () => {
  await using pool = await startPool({ concurrency: 2 })
  await pool.health({ workers: { ready: 2, of: 2 } })
  await pool.setup('the GPU is full')
  expect(await endOf(await pool.submit('die'))).toMatchObject({ status: 'failed', reason: 'crashed' })
  await pool.health({ status: 'READY', workers: { ready: 1, of: 2 }, setup: { status: 'succeeded' } })
  const tried = pool.launches()
  await eventually(() => expect(pool.launches()).toBeGreaterThan(tried + 2))
  expect(await endOf(await pool.submit('hello'))).toMatchObject({ status: 'succeeded', output: { said: 'hello' } })
  await pool.health({ status: 'READY', workers: { ready: 1, of: 2 } })
  await pool.setup(undefined)
  await pool.health({ status: 'READY', workers: { ready: 2, of: 2 } })
})

test('while no worker is left the demo is STARTING, and what waits is answered once one could be started', async () => {
  await using pool = await startPool()
  await pool.health({ status: 'READY' })
  await pool.setup('the weights host is away')
  const [dead, waiting] = [await pool.submit('die'), await pool.submit('patient')]
  expect((await endOf(dead)).reason).toBe('crashed')
  await pool.health({ status: 'STARTING', workers: { ready: 0, of: 1 } })
  const tried = pool.launches()
  await eventually(() => expect(pool.launches()).toBeGreaterThan(tried + 2))
  expect(await waiting.snapshot()).toMatchObject({ status: 'starting', queue: { position: 1 } })
  expect((await pool.predictor.health()).status).toBe('STARTING')
  await pool.setup(undefined)
  expect(await endOf(waiting)).toMatchObject({ status: 'succeeded', output: { said: 'patient' } })
})

test('a first setup that fails is SETUP_FAILED, and READY once it succeeds', async () => {
  await using pool = await startPool({ problem: 'the weights are not there' })
  await pool.health({ status: 'SETUP_FAILED', setup: { status: 'failed', logs: 'the weights are not there\n' } })
  await expect(pool.submit('x')).rejects.toThrow("The model's setup failed: the weights are not there")
  await pool.setup(undefined)
  await pool.health({ status: 'READY', setup: { status: 'succeeded' }, workers: { ready: 1, of: 1 } })
  expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
})

test('a launch that throws after the first is tried again with rests between, and others go on', async () => {
  let broken = true
  await using pool = await startPool({
    concurrency: 3,
    backOffMs: [20, 60_000],
    onLaunch: (count) => {
      if (broken && count > 1) throw new Error('model.py is being written')
    },
  })
  await pool.health({ status: 'READY', workers: { ready: 1, of: 3 } })
  expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
  await eventually(() => expect(pool.launches()).toBe(5))
  broken = false
  pool.predictor.reload()
  await pool.health({ status: 'READY', workers: { ready: 3, of: 3 } })
})

test('a worker that hangs in its setup, once another has shown how long it takes, is followed by another', async () => {
  await using pool = await startPool({ manifest: { ready_within: 0.05 } })
  await pool.health({ status: 'READY' })
  await pool.setup('hang')
  await endOf(await pool.submit('die'))
  const tried = pool.launches()
  await eventually(() => expect(pool.launches()).toBeGreaterThan(tried + 2))
  await pool.setup(undefined)
  expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
})

test('a worker with slots takes several predictions at once, and each gets what it printed', async () => {
  await using pool = await startPool({ concurrency: 4, slots: 4 })
  await pool.health({ status: 'READY', workers: { ready: 1, of: 1 } })
  const [one, other] = [await pool.submit('together'), await pool.submit('together')]
  const [first, second] = [await endOf(one), await endOf(other)]
  expect([first.logs, second.logs]).toEqual([`heard ${one.id}\n`, `heard ${other.id}\n`])
  expect(first.output).toEqual(second.output)
  expect(pool.launches()).toBe(1)
})

test('no more predictions run than the concurrency says, however many slots there are', async () => {
  await using pool = await startPool({ concurrency: 3, slots: 2 })
  await pool.health({ workers: { ready: 2, of: 2 } })
  const held = await Promise.all(['wait', 'wait', 'wait'].map((say) => pool.submit(say)))
  for (const prediction of held) await started(prediction)
  const fourth = await pool.submit('x')
  expect(await fourth.snapshot()).toMatchObject({ status: 'starting', queue: { position: 1 } })
  expect((await pool.predictor.health()).status).toBe('BUSY')
  await held[0]?.cancel()
  expect((await endOf(fourth)).status).toBe('succeeded')
})

test('a cancel that is ignored ends the process; the other predictions in it are told so', async () => {
  await using pool = await startPool({ concurrency: 2, slots: 2 })
  await pool.health({ status: 'READY' })
  const [stubborn, other] = [await pool.submit('ignore'), await pool.submit('wait')]
  await Promise.all([started(stubborn), started(other)])
  await stubborn.cancel()
  expect((await endOf(stubborn)).status).toBe('canceled')
  expect(await endOf(other)).toMatchObject({
    status: 'failed',
    reason: 'crashed',
    error: expect.stringContaining('a prediction in it was to end but went on'),
  })
  expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
})

test.each(['wait', 'ignore'])(
  'a prediction that runs longer than the timeout fails as such, and its worker is free (%s)',
  async (say) => {
    await using pool = await startPool({ manifest: { timeout: 0.1 } })
    const late = await pool.submit(say)
    const next = await pool.submit('next')
    expect(await endOf(late)).toMatchObject({
      status: 'failed',
      reason: 'timeout',
      error: 'It ran longer than the 0.1 s that one prediction may.',
    })
    expect((await endOf(next)).status).toBe('succeeded')
  },
)

test('a cancel is heard in every moment: while it waits, while it is prepared, while it runs', async () => {
  await using pool = await startPool()
  await pool.health({ status: 'READY' })
  const preparing = await pool.submit('wait')
  const waiting = await pool.submit('wait')
  expect([await waiting.cancel(), await preparing.cancel()]).toEqual([true, true])
  expect([(await endOf(waiting)).status, (await endOf(preparing)).status]).toEqual(['canceled', 'canceled'])
  const running = await pool.submit('wait')
  await started(running)
  expect([await running.cancel(), (await endOf(running)).status, await running.cancel()]).toEqual([
    true,
    'canceled',
    false,
  ])
})

test('a prediction whose worker dies before it has read it goes to another', async () => {
  await using pool = await startPool()
  await pool.health({ status: 'READY' })
  const [pid = 0] = await pool.pids()
  process.kill(pid, 'SIGSTOP')
  const prediction = await pool.submit('unread')
  await started(prediction)
  process.kill(pid, 'SIGKILL')
  expect(await endOf(prediction)).toMatchObject({ status: 'succeeded', output: { said: 'unread' } })
  const events: string[] = []
  for await (const event of prediction.events()) events.push(event.type === 'log' ? event.data.data : event.type)
  expect(events).toEqual(['start', 'completed'])
})

test('where no folder can be made for its output, one prediction fails and says why', async () => {
  await using pool = await startPool()
  await pool.health({ status: 'READY' })
  vi.stubEnv('TMPDIR', '/nowhere')
  const failed = await endOf(await pool.submit('x'))
  vi.unstubAllEnvs()
  expect(failed).toMatchObject({
    status: 'failed',
    reason: 'error',
    error: expect.stringContaining('It could not be prepared: ENOENT'),
  })
  expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
})

test.each([
  [
    'nonsense',
    { status: 'succeeded', output: { said: 'after nonsense' }, logs: expect.stringContaining('message "weather"') },
  ],
  ['wrong end', { status: 'failed', error: expect.stringContaining('message "done" that is not understood') }],
  ['wrong value', { status: 'failed', error: expect.stringContaining('said: expected text') }],
  ['too much', { reason: 'crashed', error: expect.stringContaining('a message of 104857600 bytes; at most 67108864') }],
  ['not json', { reason: 'crashed', error: expect.stringContaining('not understood') }],
  ['grows', { status: 'failed', error: 'output said: it grew beyond 33554432 characters' }],
  ['lost part', { status: 'failed', error: expect.stringContaining('nothing.txt is not there') }],
  ['lost file', { status: 'failed', error: 'output copy: expected a file, but nothing.txt is not there' }],
  ['link', { status: 'failed', error: 'output copy: expected a file, but out.txt is a link' }],
  ['folder', { status: 'failed', error: expect.stringContaining('is none') }],
])('what a worker sends is not believed: %s', async (say, expected) => {
  await using pool = await startPool()
  expect(await endOf(await pool.submit(say))).toMatchObject(expected)
  expect((await endOf(await pool.submit('next'))).status).toBe('succeeded')
})

test('a worker that closes its connection and lives on is ended', async () => {
  await using pool = await startPool()
  expect(await endOf(await pool.submit('close'))).toMatchObject({ reason: 'crashed' })
  expect((await endOf(await pool.submit('next'))).status).toBe('succeeded')
})

test('when the runtime ends, what runs is interrupted, in every state, and no process is left', async () => {
  const running = await startPool({ concurrency: 2 })
  await running.health({ workers: { ready: 2 } })
  const held = await running.submit('ignore')
  await started(held)
  const setting = await startPool({ problem: 'hang' })
  await eventually(() => setting.predictor.schema())
  const resting = await startPool({ problem: 'broken', backOffMs: [60_000] })
  await resting.health({ status: 'SETUP_FAILED' })
  for (const pool of [running, setting, resting]) {
    await pool.predictor[Symbol.asyncDispose]()
    expect(await pool.pids()).toEqual([])
    await pool[Symbol.asyncDispose]()
  }
  expect(await held.snapshot()).toMatchObject({ status: 'failed', reason: 'interrupted' })
})
