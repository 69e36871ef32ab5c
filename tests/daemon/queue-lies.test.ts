import { Readable } from 'node:stream'
import { setInterval } from 'node:timers/promises'
import type { DemoId } from '@origami/protocol/demo'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { repairEnded } from '../../packages/daemon/src/store/predictions.ts'
import { QueueBench, text } from './queue-bench.ts'
import type { ScriptedInstance } from './scripted-instance.ts'

let bench: QueueBench
let instance: ScriptedInstance
let demo: DemoId
beforeEach(async () => {
  bench = await QueueBench.open({ running: 1, retryMs: [10, 20], resultMs: 500 })
  instance = await bench.instance()
  demo = await bench.demo(instance)
})
afterEach(async () => bench[Symbol.asyncDispose]())

describe('what an instance says of an end', () => {
  const endingWith = async (end: object) => {
    const prediction = await bench.submit(demo)
    ;(await instance.run(prediction)).end(end)
    return bench.ended(demo, prediction)
  }

  test('is believed as far as its schema goes', async () => {
    const { status, output } = await endingWith({ output: { said: 'done', made: null, other: 'x' } })
    expect([status, output]).toEqual(['succeeded', { said: 'done', made: null }])
  })

  test('and times that are none are not kept', async () => {
    const ended = await endingWith({ started_at: 'x'.repeat(100_000), metrics: { predict_time: -1 } })
    expect([ended.status, ended.metrics]).toEqual(['succeeded', {}])
    expect(Date.parse(ended.started_at ?? '')).not.toBeNaN()
  })

  test('is an error where an output does not fit', async () => {
    const ended = await endingWith({ output: { said: 42, made: null } })
    expect(ended).toMatchObject({
      status: 'failed',
      reason: 'error',
      error: expect.stringContaining('wrong output: said'),
    })
  })

  test('is kept within caps', async () => {
    const { logs, error } = await endingWith({
      status: 'failed',
      output: null,
      logs: 'l'.repeat(200_000),
      error: 'e'.repeat(200_000),
    })
    expect([logs.length, error?.length]).toEqual([64 * 1024, 16 * 1024])
  })
})

test('an instance that answers 500 for a while ends nothing that waits', async () => {
  instance.behave({ breaks: true })
  const prediction = await bench.submit(demo)
  await vi.waitFor(() => expect(instance.asked.length).toBeGreaterThan(2))
  expect(await bench.row(demo, prediction)).toMatchObject({ status: 'starting' })
  instance.behave({ breaks: false })
  ;(await instance.run(prediction)).end()
  expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
})

test('an output that its schema does not have is not told live either', async () => {
  const prediction = await bench.submit(demo)
  const run = await instance.run(prediction)
  for (const field of ['other', 'said'])
    run.tell({ type: 'output', data: { field, mode: 'replace', chunk: field, index: 0 } })
  await vi.waitFor(async () => expect((await prediction.snapshot()).output).toEqual({ said: 'said' }))
  const fields: unknown[] = []
  for await (const event of prediction.events()) {
    if (event.type !== 'output') continue
    fields.push(event.data.field)
    run.end()
  }
  expect(fields).toEqual(['said'])
  await bench.ended(demo, prediction)
})

const nextIsAnswered = async () => {
  instance.instead = undefined
  const next = await bench.submit(demo, { word: 'next' })
  ;(await instance.run(next)).end()
  expect(await bench.ended(demo, next)).toMatchObject({ status: 'succeeded' })
}

describe('an instance that answers what none should', () => {
  const misbehaved = {
    status: 'failed',
    reason: 'interrupted',
    error: expect.stringContaining('answer that none should give'),
  }
  const asked = (request: FastifyRequest) => `${request.method} ${request.url.replace(/[a-z0-9]{20,}/, 'ID')}`

  test.each([
    ['PUT /predictions/ID', 200, '<h1>Welcome</h1>'],
    ['PUT /predictions/ID', 404, '<h1>Not here</h1>'],
    ['PUT /files/ID/a.txt', 404, '<h1>Not here</h1>'],
    ['PUT /files/ID/a.txt', 200, '{"ref":"elsewhere"}'],
    ['GET /predictions/ID/events', 404, '{}'],
    ['GET /predictions/ID/events', 200, 'event: start\ndata: <h1>Welcome</h1>\n\n'],
    ['GET /predictions/ID/events', 200, '<!doctype html><h1>Welcome</h1>'],
  ])('to %s, with %i %s, is told as that; what comes next is answered', async (what, status, body) => {
    instance.instead = (request, reply) =>
      asked(request) === what ? reply.status(status).type('text/html').send(body) : undefined
    const prediction = await bench.submit(demo, { file: await bench.upload() })
    expect(await bench.ended(demo, prediction)).toMatchObject(misbehaved)
    await nextIsAnswered()
  })

  const faults = (request: FastifyRequest, reply: FastifyReply) =>
    asked(request) === 'GET /predictions/ID' ? reply.status(500).send({}) : undefined

  test('with 500 when asked for what ran in it before a restart, is asked again, and then told as that', async () => {
    const prediction = await bench.submit(demo)
    await instance.run(prediction)
    await vi.waitFor(async () => expect(await bench.row(demo, prediction)).toMatchObject({ status: 'processing' }))
    await bench.leave()
    instance.instead = faults
    await bench.start()
    expect(await bench.ended(demo, prediction)).toMatchObject(misbehaved)
    await nextIsAnswered()
  })

  test('with 500 when it is asked for what it may have while another serves, is asked until it says', async () => {
    instance.behave({ stallsSubmit: true })
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    await bench.leave()
    let times = 0
    instance.instead = (request, reply) => {
      const fault = faults(request, reply)
      if (fault) times += 1
      return fault
    }
    await bench.start()
    await bench.serve(demo, await bench.instance())
    await vi.waitFor(() => expect(times).toBeGreaterThan(2))
    expect(await bench.row(demo, prediction)).toMatchObject({ status: 'starting' })
    instance.instead = undefined
    run.end()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  })
})

describe('an instance that lies holds no place of the host', () => {
  const endingWithFile = async (bytes: string) => {
    const ref = await instance.files.put('0123456789abcdef', 'made.txt', 'text/plain', text(bytes))
    const prediction = await bench.submit(demo)
    ;(await instance.run(prediction)).end({ output: { said: 'done', made: ref } })
    return { prediction, ref }
  }
  const whoeverFetches = (bytes: () => AsyncIterable<Uint8Array>) => (request: FastifyRequest, reply: FastifyReply) =>
    request.method === 'GET' && request.url.startsWith('/files/')
      ? reply.status(206).send(Readable.from(bytes()))
      : undefined

  test('when a result drips', async () => {
    instance.instead = whoeverFetches(async function* () {
      for await (const _ of setInterval(20)) yield Buffer.from('.')
    })
    const { prediction, ref } = await endingWithFile('x'.repeat(10_000))
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'error',
      error: "The model's results took longer to fetch than the 0.5 s they may.",
    })
    expect(await bench.files.open(ref)).toBeUndefined()
    await nextIsAnswered()
  })

  test('when a result is longer than it was said to be', async () => {
    instance.instead = whoeverFetches(async function* () {
      for (;;) yield Buffer.alloc(100_000, 'x')
    })
    const { prediction, ref } = await endingWithFile('made')
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'interrupted',
      error: expect.stringContaining('expected 4 bytes of'),
    })
    expect(await bench.files.open(ref)).toBeUndefined()
    await nextIsAnswered()
  })

  test('when it says that a prediction ended as one that runs', async () => {
    const prediction = await bench.submit(demo)
    ;(await instance.run(prediction)).end({ status: 'processing' })
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'failed', reason: 'interrupted' })
    await nextIsAnswered()
  })

  test('when a result never comes to its end', async () => {
    const ref = await instance.files.put('0123456789abcdef', 'made.txt', 'text/plain', text('made'))
    instance.behave({ stallsResults: true })
    const prediction = await bench.submit(demo)
    ;(await instance.run(prediction)).end({ output: { said: 'done', made: ref } })
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'error',
      error: "The model's results took longer to fetch than the 0.5 s they may.",
    })
    instance.behave({ stallsResults: false })
    await nextIsAnswered()
  })

  test('nor one that an earlier daemon believed', async () => {
    const prediction = await bench.submit(demo)
    await instance.run(prediction)
    const believed = { status: 'processing' as const, completed_at: new Date().toISOString() }
    await bench.db.updateTable('predictions').set(believed).where('id', '=', prediction.id).execute()
    expect(await repairEnded(bench.db)).toBe(1)
    expect(await bench.row(demo, prediction)).toMatchObject({ status: 'failed', reason: 'interrupted' })
  })
})
