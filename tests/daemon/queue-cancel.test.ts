import type { DemoId } from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../packages/daemon/src/store/open.ts'
import { QueueBench, text } from './queue-bench.ts'
import type { ScriptedInstance } from './scripted-instance.ts'

describe('a prediction is canceled', () => {
  let bench: QueueBench
  let instance: ScriptedInstance
  let demo: DemoId
  beforeEach(async () => {
    bench = await QueueBench.open({ cancelMs: 300 })
    instance = await bench.instance()
    demo = await bench.demo(instance)
  })
  afterEach(async () => bench[Symbol.asyncDispose]())

  const canceled = async (prediction: Prediction) => {
    expect(await prediction.cancel()).toBe(true)
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'canceled', error: null })
    expect(await prediction.cancel()).toBe(false)
  }
  /** The place is free again, and the next one gets it. */
  const nextOneRuns = async () => {
    instance.behave({ stallsFiles: false, stallsSubmit: false, stallsResults: false, refuses: false })
    const next = await bench.submit(demo, { word: 'next' })
    ;(await instance.run(next)).end()
    expect(await bench.ended(demo, next)).toMatchObject({ status: 'succeeded' })
  }

  test('while it waits, and never runs', async () => {
    const first = await bench.submit(demo, { word: 'first' })
    const run = await instance.run(first)
    const second = await bench.submit(demo, { word: 'second' })
    await canceled(second)
    run.end()
    await bench.ended(demo, first)
    await nextOneRuns()
    expect(instance.times('submit second')).toBe(0)
  })

  test('while nobody takes it', async () => {
    instance.behave({ refuses: true })
    const prediction = await bench.submit(demo)
    await vi.waitFor(() => expect(instance.times('submit x')).toBeGreaterThan(1))
    await canceled(prediction)
    await nextOneRuns()
  })

  test('while its files are carried to an instance that takes them and never answers', async () => {
    instance.behave({ stallsFiles: true })
    const prediction = await bench.submit(demo, { file: await bench.upload() })
    await vi.waitFor(() => expect(instance.asked).toContain('put'))
    await canceled(prediction)
    await nextOneRuns()
    expect(instance.times('submit x')).toBe(0)
  })

  test('while it is submitted to an instance that takes it and never answers: it is canceled there too', async () => {
    instance.behave({ stallsSubmit: true })
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    await canceled(prediction)
    await vi.waitFor(() => expect(run.canceled).toBe(true))
    await nextOneRuns()
  })

  test('while nobody knows whether it was taken, and long before its instance is tried again', async () => {
    Object.assign(bench.limits, { retryMs: [60_000] })
    instance.behave({ stallsSubmit: true })
    const prediction = await bench.submit(demo)
    await instance.run(prediction)
    await instance.kill()
    const other = await bench.instance()
    const meanwhile = await bench.demo(other)
    const next = await bench.submit(meanwhile)
    ;(await other.run(next)).end()
    await bench.ended(meanwhile, next)
    await canceled(prediction)
  })

  test('while it runs', async () => {
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    await vi.waitFor(async () => expect(await prediction.snapshot()).toMatchObject({ status: 'processing' }))
    await canceled(prediction)
    expect(run.canceled).toBe(true)
    await nextOneRuns()
  })

  test('while it runs at an instance that does not obey: it ends without its word, and it is looked at', async () => {
    instance.behave({ obeys: false })
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    run.tell({ type: 'log', data: { source: 'stdout', data: 'working' } })
    await vi.waitFor(async () => expect(await prediction.snapshot()).toMatchObject({ logs: 'working' }))
    await canceled(prediction)
    expect(await prediction.snapshot()).toMatchObject({ logs: 'working' })
    await vi.waitFor(() => expect(bench.lookedAt).toHaveLength(1))
    await nextOneRuns()
  })

  test('while its results are fetched', async () => {
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    const made = await instance.files.put('0123456789abcdef', 'made.txt', 'text/plain', text('made'))
    instance.behave({ stallsResults: true })
    run.end({ output: { said: 'done', made } })
    await vi.waitFor(() => expect(instance.asked).toContain('open'))
    await canceled(prediction)
    await nextOneRuns()
  })

  test('after a restart of the daemon, which finds it running', async () => {
    const { id } = await bench.submit(demo)
    const run = await instance.run({ id })
    await vi.waitFor(async () => expect((await bench.row(demo, { id }))?.status).toBe('processing'))
    await bench.leave()
    await bench.start()
    const prediction = await (await bench.predictor(demo)).find(id)
    await canceled(prediction as Prediction)
    await vi.waitFor(() => expect(run.canceled).toBe(true))
  })

  test('though the daemon went away before it could say so to the instance', async () => {
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    await vi.waitFor(async () => expect((await bench.row(demo, prediction))?.status).toBe('processing'))
    await bench.leave()
    const db = await openStore(bench.folder)
    await db.updateTable('predictions').set({ cancel_requested_at: new Date().toISOString() }).execute()
    await db.destroy()
    await bench.start()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'canceled' })
    await vi.waitFor(() => expect(run.canceled).toBe(true))
  })
})
