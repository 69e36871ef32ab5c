import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime } from '../src/runtime/index.ts'
import { post, serve, until } from './serving.ts'

describe('a bare Python function over HTTP', () => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await serve('stream.py')
  })
  afterAll(async () => runtime[Symbol.asyncDispose]())

  test('its signature is its page', async () => {
    const schema = await runtime.predictor.schema()
    expect(schema).toMatchObject({ title: 'Stream', description: 'Says a word again and again.', streaming: true })
    expect(schema.inputs.map(({ name, component, required, default: value }) => [name, component, required, value])).toEqual([
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
