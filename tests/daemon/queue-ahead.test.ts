import type { DemoId } from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { QueueBench } from './queue-bench.ts'
import type { ScriptedInstance } from './scripted-instance.ts'

let bench: QueueBench
let instance: ScriptedInstance
let demo: DemoId
beforeEach(async () => {
  bench = await QueueBench.open({ cancelMs: 200 })
  instance = await bench.instance()
  instance.behave({ ahead: 4, begins: false })
  demo = await bench.demo(instance)
})
afterEach(async () => bench[Symbol.asyncDispose]())

/** Runs as many as it takes to know how long runs of this demo take. */
async function runsTake(seconds: number, at: DemoId = demo, by: ScriptedInstance = instance): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    const prediction = await bench.submit(at)
    const run = await by.run(prediction)
    run.begin()
    run.end({ metrics: { predict_time: seconds } })
    await bench.ended(at, prediction)
  }
}

async function submitted(count: number, at: DemoId = demo): Promise<Prediction[]> {
  const predictions: Prediction[] = []
  for (let index = 0; index < count; index += 1) predictions.push(await bench.submit(at, { word: `${index}` }))
  return predictions
}

/** Which of them an instance has. */
const sent = (predictions: readonly Prediction[], to = instance) => predictions.map(({ id }) => to.runs.has(id))
const untilSent = (predictions: readonly Prediction[], to = instance) =>
  vi.waitFor(() => expect(sent(predictions, to)).toEqual(predictions.map(() => true)))
const stands = async (predictions: readonly Prediction[]) =>
  (await Promise.all(predictions.map((one) => one.snapshot()))).map(({ status, queue }) => [status, queue?.position])
const begun = (prediction: Prediction) =>
  vi.waitFor(async () => expect((await prediction.snapshot()).status).toBe('processing'))

/** Six predictions of which one runs and four are ahead at the instance. */
async function ahead(seconds = 0.01): Promise<[Prediction, ...Prediction[]]> {
  await runsTake(seconds)
  const [first, ...others] = await submitted(6)
  if (!first) throw new Error('six were submitted')
  ;(await instance.run(first)).begin()
  await begun(first)
  // What is sent after a change is sent with it: the instance was asked how many it takes when the first one was.
  await untilSent(others.slice(0, 4))
  return [first, ...others]
}

describe('predictions of a demo whose runs are short', () => {
  test('are sent as many as it runs and takes ahead, and wait in line until each begins', async () => {
    const [first, ...others] = await ahead()
    expect(sent(others)).toEqual([true, true, true, true, false])
    expect(await stands([first, ...others])).toEqual([
      ['processing', undefined],
      ...[1, 2, 3, 4, 5].map((place) => ['starting', place]),
    ])
    expect(await bench.row(demo, others[0] as Prediction)).toMatchObject({ started_at: null, deadline_at: null })
    ;(await instance.run(first)).end()
    ;(await instance.run(others[0] as Prediction)).begin()
    await begun(others[0] as Prediction)
    await untilSent(others)
    expect(await stands(others)).toEqual([
      ['processing', undefined],
      ...[1, 2, 3, 4].map((place) => ['starting', place]),
    ])
  })

  test('are sent no more than run in a quarter of a second, nor any where they are longer or it is not known', async () => {
    const six = await submitted(2)
    await instance.run(six[0] as Prediction)
    for (const one of six) {
      const run = await instance.run(one)
      run.begin()
      expect(sent(six)).toEqual([true, one === six[1]])
      run.end({ metrics: { predict_time: 0.12 } })
      await bench.ended(demo, one)
    }
    await runsTake(0.01)
    const four = await submitted(4)
    await untilSent(four.slice(0, 3))
    ;(await instance.run(four[0] as Prediction)).begin()
    await begun(four[0] as Prediction)
    expect(sent(four)).toEqual([true, true, true, false])
  })

  test('are not sent ahead while another demo waits for a place of the host', async () => {
    Object.assign(bench.limits, { running: 2 })
    const other = await bench.instance()
    other.behave({ begins: false })
    const [elsewhere, third] = [await bench.demo(other), await bench.demo(other)]
    await runsTake(0.01)
    const [held] = await submitted(1)
    ;(await instance.run(held as Prediction)).begin()
    await begun(held as Prediction)
    const [busy] = await submitted(1, elsewhere)
    await untilSent([busy as Prediction], other)
    const [waits] = await submitted(1, third)
    const more = await submitted(3)
    expect(sent(more)).toEqual([false, false, false])
    ;(await other.run(busy as Prediction)).end()
    await untilSent([waits as Prediction], other)
    await untilSent(more)
  })
})

describe('those that are ahead', () => {
  test('come back to their places when their instance is stopped before it began them, and go to the next one', async () => {
    const [first, ...others] = await ahead()
    const next = await bench.instance()
    await bench.serve(demo, next)
    for (const one of others.slice(0, 4)) (await instance.run(one)).giveBack()
    ;(await instance.run(first)).end({ status: 'failed', output: null, reason: 'interrupted', error: 'stopped' })
    expect(await bench.ended(demo, first)).toMatchObject({ status: 'failed', reason: 'interrupted' })
    for (const one of others) {
      ;(await next.run(one)).end()
      expect(await bench.ended(demo, one)).toMatchObject({ status: 'succeeded' })
    }
    expect([...next.runs.keys()]).toEqual(others.map(({ id }) => id))
  })

  test('may have begun where their instance is gone, and are not run twice; the one that was not sent is answered', async () => {
    const [first, ...others] = await ahead()
    const next = await bench.instance()
    await instance.kill()
    await bench.serve(demo, next)
    for (const one of [first, ...others.slice(0, 4)])
      expect(await bench.ended(demo, one)).toMatchObject({ status: 'failed', reason: 'interrupted' })
    const last = others[4] as Prediction
    ;(await next.run(last)).end()
    expect(await bench.ended(demo, last)).toMatchObject({ status: 'succeeded' })
    expect([...next.runs.keys()]).toEqual([last.id])
  })

  test('are found again by the next daemon, wait in line as before, and run once', async () => {
    const [first, ...others] = await ahead()
    const submits = instance.asked.filter((asked) => asked.startsWith('submit')).length
    await bench.crash()
    await bench.start()
    const predictor = await bench.predictor(demo)
    const again = await Promise.all([first, ...others].map(({ id }) => predictor.find(id)))
    const [running, ...waiting] = again.filter((one) => one !== undefined)
    await begun(running as Prediction)
    expect(await stands(waiting)).toEqual([1, 2, 3, 4, 5].map((place) => ['starting', place]))
    for (const one of [first, ...others]) {
      ;(await instance.run(one)).end()
      expect(await bench.ended(demo, one)).toMatchObject({ status: 'succeeded' })
    }
    expect(instance.asked.filter((asked) => asked.startsWith('submit'))).toHaveLength(submits + 1)
  })

  test('are canceled at once, and one that is never begun ends in the end', async () => {
    const [first, canceled] = await ahead()
    expect(await canceled?.cancel()).toBe(true)
    expect(await bench.ended(demo, canceled as Prediction)).toMatchObject({ status: 'canceled', started_at: null })
    expect((await first.snapshot()).status).toBe('processing')
    const short = await bench.demo(instance, { timeout: 1, ready_within: 1 })
    const [never] = await submitted(1, short)
    expect(await bench.ended(short, never as Prediction)).toMatchObject({
      status: 'failed',
      reason: 'timeout',
      error: expect.stringContaining('did not begin it'),
    })
    await vi.waitFor(() => expect(instance.asked).toContain('cancel 0'))
  })
})
