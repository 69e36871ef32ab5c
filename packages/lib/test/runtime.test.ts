import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Runtime } from '../src/runtime/index.ts'
import { post, serve, until } from './serve-model.ts'

describe('a TypeScript model over HTTP', () => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await serve('many.ts')
  })
  afterAll(async () => runtime[Symbol.asyncDispose]())

  test('answers when it ended, with defaults filled in and what it printed', async () => {
    const { status, body } = await post(runtime.url, { say: 'ab' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'succeeded',
      output: { said: 'ababab', mood: { glad: 0.75 } },
      logs: 'heard ab\n',
    })
    const copy = await fetch((body.output as { copy: string }).copy)
    expect(await copy.text()).toBe('nothing')
    expect(copy.headers.get('content-disposition')).toContain('attachment')
    expect(copy.headers.get('content-security-policy')).toContain('sandbox')
  })

  test('takes files as raw bytes, and as data: URIs', async () => {
    const put = await fetch(`${runtime.url}/files/0123456789abcdef/note.txt`, {
      method: 'PUT',
      body: 'raw bytes',
      headers: { 'content-type': 'text/plain' },
    })
    expect(put.status).toBe(201)
    const { ref } = (await put.json()) as { ref: string }
    for (const [paper, text] of [
      [ref, 'raw bytes'],
      ['data:text/plain;base64,aGVsbG8=', 'hello'],
    ]) {
      const { body } = await post(runtime.url, { say: 'x', paper })
      expect(await (await fetch((body.output as { copy: string }).copy)).text()).toBe(text)
    }
  })

  test.each([
    [{}, 'say', 'Field required'],
    [{ say: 3 }, 'say', 'expected text'],
    [{ say: 'x'.repeat(21) }, 'say', 'at most 20 characters'],
    [{ say: 'x', count: 1.5 }, 'count', 'whole number'],
    [{ say: 'x', colour: 'red' }, 'colour', 'unknown field'],
    [{ say: 'x', paper: 'http://127.0.0.1:1/secret' }, 'paper', 'not a public address'],
    [{ say: 'x', paper: 'files/0000000000000000/gone' }, 'paper', 'not there'],
  ])('%j is refused at the field', async (input, field, message) => {
    const { status, body } = await post(runtime.url, input)
    expect(status).toBe(422)
    const { detail } = body as unknown as { detail: { loc: string[]; msg: string }[] }
    expect(detail[0]?.loc).toEqual(['body', 'input', field])
    expect(detail[0]?.msg).toContain(message)
  })

  test('what is too large is refused with 413: a file by its field or by itself, and a body', async () => {
    const megabytes = (count: number) => Buffer.alloc(count * 1024 ** 2)
    const put = await fetch(`${runtime.url}/files/0123456789abcdef/large`, { method: 'PUT', body: megabytes(101) })
    expect([put.status, await put.text()]).toEqual([413, expect.stringContaining(`at most ${100 * 1024 ** 2} bytes`)])
    const streamed = new ReadableStream({ pull: (controller) => controller.enqueue(megabytes(8)) })
    const unannounced = fetch(`${runtime.url}/files/0123456789abcdeg/large`, {
      method: 'PUT',
      body: streamed,
      duplex: 'half',
    } as RequestInit)
    expect(
      await unannounced.then(
        ({ status }) => status,
        () => 'cut off',
      ),
    ).toSatisfy((outcome) => outcome === 413 || outcome === 'cut off')
    expect((await fetch(`${runtime.url}/files/0123456789abcdeg/large`)).status).toBe(404)
    const { status } = await post(runtime.url, { say: megabytes(65).toString('latin1') })
    expect(status).toBe(413)
  })

  test('the same id twice is one prediction', async () => {
    const put = () =>
      fetch(`${runtime.url}/predictions/twice-the-same-id`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify({ input: { say: 'ab' } }),
      })
    expect((await put()).status).toBe(202)
    const ended = await until(runtime.url, 'twice-the-same-id')
    expect(await (await put()).json()).toMatchObject({ created_at: ended.created_at, status: 'succeeded' })
  })

  test('a model that raises fails with its own words, and one that dies is started again', async () => {
    expect((await post(runtime.url, { say: 'throw' })).body).toMatchObject({
      status: 'failed',
      reason: 'error',
      error: 'it was told to',
    })
    const [dead, waiting] = await Promise.all([post(runtime.url, { say: 'die' }), post(runtime.url, { say: 'ab' })])
    expect(dead.body).toMatchObject({ status: 'failed', reason: 'crashed' })
    expect(waiting.body.status).toBe('succeeded')
  })

  test('a cancel is heard; one that is ignored kills the worker', async () => {
    for (const say of ['wait', 'hang']) {
      const { body } = await post(runtime.url, { say }, { prefer: 'respond-async' })
      await until(runtime.url, body.id, 'processing')
      expect((await fetch(`${runtime.url}/predictions/${body.id}/cancel`, { method: 'POST' })).status).toBe(200)
      expect((await until(runtime.url, body.id)).status).toBe('canceled')
    }
    expect((await post(runtime.url, { say: 'ab' })).body.status).toBe('succeeded')
  })

  test('who follows resumes after any number', async () => {
    const { body } = await post(runtime.url, { say: 'ab' })
    const all = await (await fetch(`${runtime.url}/predictions/${body.id}/events`)).text()
    expect(all).toMatch(/^id: 1\nevent: start\n/)
    const rest = await (
      await fetch(`${runtime.url}/predictions/${body.id}/events`, { headers: { 'last-event-id': '2' } })
    ).text()
    expect(rest).toMatch(/^id: 3\n/)
    expect(rest).toContain('event: completed')
    for (const odd of ['NaN', '-1', '1e300', '2.5', '9'.repeat(40)]) {
      const from = await fetch(`${runtime.url}/predictions/${body.id}/events`, { headers: { 'last-event-id': odd } })
      expect(await from.text(), odd).toMatch(/^id: 1\nevent: start\n/)
    }
  })
})

test('a model whose setup fails says so, and the runtime stays up', async () => {
  await using runtime = await serve('broken.ts')
  const health = await (await fetch(`${runtime.url}/health-check`)).json()
  expect(health).toMatchObject({ status: 'SETUP_FAILED', setup: { status: 'failed' } })
  expect(health.setup.logs).toContain('the weights are not there')
  expect((await post(runtime.url, { say: 'x' })).status).toBe(503)
})
