import type { DemoId, FileRef, VisitorId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { predictionsOfVisitor } from '../../packages/daemon/src/store/results.ts'
import { QueueBench, text } from './queue-bench.ts'
import type { ScriptedInstance } from './scripted-instance.ts'

let bench: QueueBench
let instance: ScriptedInstance
let demo: DemoId
beforeEach(async () => {
  bench = await QueueBench.open({ fileBytes: 1000, outputBytes: 10_000, retryMs: [10, 20] })
  instance = await bench.instance()
  demo = await bench.demo(instance)
})
afterEach(async () => bench[Symbol.asyncDispose]())

const made = (bytes = 'made'): Promise<FileRef> =>
  instance.files.put('0123456789abcdef', 'made.txt', 'text/plain', text(bytes))
const endingWith = async (ref: string) => {
  const prediction = await bench.submit(demo)
  ;(await instance.run(prediction)).end({ output: { said: 'done', made: ref } })
  return prediction
}

describe('the files of a result', () => {
  test('are here before the prediction has succeeded', async () => {
    const ref = await made()
    const prediction = await endingWith(ref)
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'succeeded',
      output: { said: 'done', made: ref },
    })
    await instance.kill()
    expect(await bench.files.open(ref)).toMatchObject({ name: 'made.txt', size: 4 })
  })

  test('that are larger than this server keeps fail the prediction, with words', async () => {
    const prediction = await endingWith(await made('x'.repeat(1001)))
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'error',
      error:
        "The model's result made.txt is too large: this server keeps files of at most 1000 bytes, and it has 1001.",
    })
  })

  test('that are not there are asked for a few times; then the prediction is interrupted, with words', async () => {
    const prediction = await endingWith('files/0123456789abcdef/made.txt')
    expect(await bench.ended(demo, prediction)).toMatchObject({
      status: 'failed',
      reason: 'interrupted',
      error: expect.stringContaining('made.txt could not be fetched'),
    })
    expect(instance.times('open')).toBe(3)
  })

  test('that come at the second try are here', async () => {
    const ref = await made()
    instance.instead = (request, reply) => {
      if (!request.url.startsWith('/files/')) return undefined
      instance.instead = undefined
      return reply.status(404).send()
    }
    expect(await bench.ended(demo, await endingWith(ref))).toMatchObject({ status: 'succeeded' })
    expect(instance.instead).toBeUndefined()
  })

  test('are fetched by the next daemon when this one leaves in their middle', async () => {
    instance.behave({ stallsResults: true })
    const prediction = await endingWith(await made())
    await vi.waitFor(() => expect(instance.times('open')).toBe(1))
    await bench.leave()
    instance.behave({ stallsResults: false })
    await bench.start()
    expect(await bench.ended(demo, prediction)).toMatchObject({ status: 'succeeded' })
  })
})

test('a model that puts out text without end fails with words, and is canceled', async () => {
  const prediction = await bench.submit(demo)
  const run = await instance.run(prediction)
  for (let index = 0; index < 20; index += 1)
    run.tell({ type: 'output', data: { field: 'said', mode: 'append', chunk: 'x'.repeat(1000), index } })
  expect(await bench.ended(demo, prediction)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('10000 bytes'),
  })
  await vi.waitFor(() => expect(run.canceled).toBe(true))
})

test("a page of a visitor's results ends where its bytes do; each is on one page, also a huge one", async () => {
  const sizes = [10, 3000, 10, 10, 900, 900, 10]
  const ids: string[] = []
  for (const size of sizes) {
    const prediction = await bench.submit(demo, { word: 'x' }, 'ann')
    ids.push(prediction.id)
    ;(await instance.run(prediction)).end({ output: { said: 'x'.repeat(size), made: null } })
    await bench.ended(demo, prediction)
  }
  const pages: string[][] = []
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page = await predictionsOfVisitor(bench.db, demo, 'ann' as VisitorId, { before, limit: 3, bytes: 1500 })
    pages.push(page.rows.map(({ id }) => id))
    before = page.next
  }
  expect(pages.map((page) => page.map((id) => sizes[ids.indexOf(id)]))).toEqual([
    [10, 900],
    [900, 10, 10],
    [3000],
    [10],
  ])
  expect(pages.flat()).toEqual(ids.toReversed())
})
