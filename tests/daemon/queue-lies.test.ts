import type { DemoId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { repairEnded } from '../../packages/daemon/src/store/predictions.ts'
import { type Instance, QueueBench, text } from './queue-bench.ts'

let bench: QueueBench
let instance: Instance
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
    expect(ended).toMatchObject({ status: 'failed', reason: 'error', error: expect.stringContaining('wrong output: said') })
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

describe('an instance that lies holds no place of the host', () => {
  const nextIsAnswered = async () => {
    const next = await bench.submit(demo, { word: 'next' })
    ;(await instance.run(next)).end()
    expect(await bench.ended(demo, next)).toMatchObject({ status: 'succeeded' })
  }

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
