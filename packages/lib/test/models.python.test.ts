import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime } from '../src/runtime/index.ts'
import { post, serve, until } from './serve-model.ts'

describe('a bare Python function over HTTP', () => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await serve('stream.py')
  })
  afterAll(async () => runtime[Symbol.asyncDispose]())

  test('its signature is its page', async () => {
    const schema = await runtime.predictor.schema()
    expect(schema).toMatchObject({ title: 'Stream', description: 'Says a word again and again.', streaming: true })
    expect(
      schema.inputs.map(({ name, component, required, default: value }) => [name, component, required, value]),
    ).toEqual([
      ['word', 'text', true, undefined],
      ['times', 'number', false, 3],
      ['how', 'select', false, 'plain'],
      ['wait', 'checkbox', false, false],
    ])
  })

  test('a generator grows its text', async () => {
    const { body } = await post(runtime.url, { word: 'fold', how: 'loud', times: 2 })
    expect(body).toMatchObject({ status: 'succeeded', output: 'FOLD FOLD ', logs: 'saying fold\n' })
    const events = await (await fetch(`${runtime.url}/predictions/${body.id}/events`)).text()
    expect(events).toContain('"mode":"append","chunk":"FOLD ","index":1')
    expect(events).toContain('"done":2,"total":2')
  })

  test('a cancel is raised in it, and the worker goes on', async () => {
    const { body } = await post(runtime.url, { word: 'x', wait: true }, { prefer: 'respond-async' })
    await until(runtime.url, body.id, 'processing')
    await fetch(`${runtime.url}/predictions/${body.id}/cancel`, { method: 'POST' })
    expect((await until(runtime.url, body.id)).status).toBe('canceled')
    expect((await post(runtime.url, { word: 'y', times: 1 })).body.output).toBe('y ')
  })
})

test("a class in Cog's shape, with every type once and several outputs", async () => {
  await using runtime = await serve('annotated.py')
  const { inputs, outputs } = await runtime.predictor.schema()
  expect(inputs.map(({ name, component, required, description }) => [name, component, required, description])).toEqual([
    ['size', 'select', true, undefined],
    ['heat', 'slider', false, 'How warm.'],
    ['paper', 'file', false, undefined],
    ['data', 'json', false, undefined],
  ])
  expect(outputs.map(({ name, component }) => [name, component])).toEqual([
    ['words', 'markdown'],
    ['mood', 'label'],
    ['copy', 'file'],
  ])
  const { body } = await post(runtime.url, { size: 'large', heat: 1.5, paper: 'data:text/plain,paper' })
  expect(body).toMatchObject({
    status: 'succeeded',
    output: { words: '**ready** LARGE 1.5 paper None', mood: { glad: 0.5 } },
  })
  expect(await (await fetch((body.output as { copy: string }).copy)).text()).toBe('paper')
})

test('what no single component fits is JSON; an untyped parameter is what its default is', async () => {
  await using runtime = await serve('untyped.py')
  const { inputs } = await runtime.predictor.schema()
  expect(inputs.map(({ name, component, required }) => [name, component, required])).toEqual([
    ['bare', 'text', true],
    ['word', 'text', false],
    ['count', 'number', false],
    ['sure', 'checkbox', false],
    ['nothing', 'json', false],
    ['parts', 'json', false],
    ['any', 'json', false],
    ['either', 'json', false],
    ['maybe', 'json', false],
  ])
  const { body } = await post(runtime.url, { bare: 'x', nothing: [1], any: { a: null }, either: 2 })
  expect(body.output).toEqual({
    ...{ bare: 'x', word: 'w', count: 2.5, sure: true, nothing: [1], parts: [1] },
    ...{ any: { a: null }, either: 2, maybe: null },
  })
})

test('two predictions of an async function meet in one process, and each has its own terminal', async () => {
  await using runtime = await serve('meeting.py')
  const both = await Promise.all(['ann', 'ben'].map((name) => post(runtime.url, { name })))
  const ended = both.map(({ body }) => [body.status, body.output, body.logs])
  expect(ended).toEqual([
    ['succeeded', 'ann met 2', 'ann comes\nann met\n'],
    ['succeeded', 'ben met 2', 'ben comes\nben met\n'],
  ])
})

test('a cancel over HTTP reaches an awaiting prediction', async () => {
  await using runtime = await serve('meeting.py')
  const { body } = await post(runtime.url, { name: 'cid' }, { prefer: 'respond-async' })
  const prediction = `${runtime.url}/predictions/${body.id}`
  await expect.poll(async () => ((await (await fetch(prediction)).json()) as { logs: string }).logs).toBe('cid comes\n')
  await fetch(`${prediction}/cancel`, { method: 'POST' })
  expect(await until(runtime.url, body.id)).toMatchObject({ status: 'canceled', logs: 'cid comes\ncid goes\n' })
})
