import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type DemoSchema, type Input, Invalid, validateInput } from '@origami/protocol/demo'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FolderFiles, limitJson, type Prediction, predictionsApi, sendError, unroutable } from '../../../src/index.ts'

const schema: DemoSchema = {
  api: 1,
  title: 'Any',
  description: '',
  inputs: [
    { name: 'word', label: 'word', component: 'text', options: {}, required: false },
    { name: 'paper', label: 'paper', component: 'file', options: {}, required: false },
  ],
  outputs: [{ name: 'said', label: 'said', component: 'text', options: {}, required: true }],
  examples: [],
  streaming: false,
  concurrency: 1,
}

let app: FastifyInstance
let folder: string
let taken: Input[]
/** What the server says went wrong. */
let logged: string[]

beforeEach(async () => {
  taken = []
  logged = []
  folder = await mkdtemp(join(tmpdir(), 'origami-bodies-'))
  app = Fastify({
    ...unroutable,
    forceCloseConnections: true,
    logger: { level: 'error', stream: { write: (line: string) => void logged.push(line) } },
  }) as unknown as FastifyInstance
  limitJson(app, { bytes: () => 1024 ** 2 })
  app.setErrorHandler(sendError)
  const files = new FolderFiles(folder, { maxFileBytes: () => 1024 })
  const submit = async ({ id, input }: { id: Prediction['id']; input: Input }): Promise<Prediction> => {
    const { problems } = validateInput(schema, input)
    if (problems.length > 0) throw new Invalid(problems)
    taken.push(input)
    return { id, snapshot: async () => snapshot(id, input), events: async function* () {}, cancel: async () => false }
  }
  const health = async () => ({ status: 'READY' as const, setup: null, version: {} })
  const demo = { schema: async () => schema, health, submit, find: async () => undefined, files }
  await app.register(predictionsApi, {
    predictor: async () => demo,
    maxFileBytes: () => 1024,
    remoteFiles: false,
    fileIdleMs: () => 200,
    fileMs: () => 500,
  })
})
afterEach(async () => {
  await app.close()
  await rm(folder, { recursive: true })
})

const post = async (payload: string, headers: Record<string, string> = {}) => {
  const asked = { 'content-type': 'application/json', prefer: 'respond-async', ...headers }
  const answer = await app.inject({ method: 'POST', url: '/predictions', payload, headers: asked })
  return { status: answer.statusCode, body: answer.json(), bytes: answer.rawPayload.length }
}

test('a range beyond the end of a file is refused in words', async () => {
  const url = '/files/0123456789abcdef/five'
  await app.inject({ method: 'PUT', url, payload: 'bytes', headers: { 'content-type': 'text/plain' } })
  const answer = await app.inject({ url, headers: { range: 'bytes=5-' } })
  expect([answer.statusCode, answer.headers['content-range'], answer.json()]).toEqual([
    416,
    'bytes */5',
    { error: 'expected a range within its 5 bytes, got bytes=5-' },
  ])
})

describe('a prediction', () => {
  test.each(['[]', '5', '"{}"', 'true', '[{"input":{}}]'])(
    'of the body %s is refused, and does not run without input',
    async (body) => {
      const { status, body: answer } = await post(body)
      expect([status, answer]).toEqual([
        422,
        {
          detail: [
            { loc: ['body', 'input'], msg: `expected a body such as {"input": {…}}, got ${body}`, type: 'value_error' },
          ],
        },
      ])
      expect(taken).toEqual([])
    },
  )

  test('whose JSON says that it is text is refused, and does not run without input', async () => {
    expect((await post('{"input":{"word":"x"}}', { 'content-type': 'text/plain' })).status).toBe(415)
    expect(taken).toEqual([])
  })

  test.each([
    [
      'thousands of unknown fields',
      { input: Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`, 1])) },
    ],
    ['an unknown field with a name of 100 KB', { input: { ['k'.repeat(100_000)]: 1 } }],
    ['an id of 100 KB', { id: 'a'.repeat(100_000) }],
    ['an input that is a long list', { input: Array.from({ length: 50_000 }, () => 1) }],
  ])('with %s is refused in an answer that is small', async (_what, body) => {
    const { status, bytes } = await post(JSON.stringify(body))
    expect(status).toBe(422)
    expect(bytes).toBeLessThan(4096)
  })

  test('names the first unknown fields, and how many more there are', async () => {
    const { body } = await post(
      JSON.stringify({ input: Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`k${at}`, 1])) }),
    )
    expect(body.detail.map(({ loc, msg }: { loc: string[]; msg: string }) => loc[2] ?? msg)).toEqual([
      ...Array.from({ length: 10 }, (_, at) => `k${at}`),
      'and 2 more unknown fields',
    ])
  })

  test.each(['1e400', '[1, {"deep": -1e999}]'])(
    'whose input is %s, more than a number holds, is refused by its field',
    async (number) => {
      const { status, body } = await post(`{"input":{"word":${number}}}`)
      expect([status, body.detail]).toEqual([
        422,
        [{ loc: ['body', 'input', 'word'], msg: 'expected numbers below 1.8e308', type: 'value_error' }],
      ])
    },
  )

  test('that refers to a file by half a character is refused by its field', async () => {
    const { status, body } = await post(String.raw`{"input":{"paper":"files/0123456789abcdef/\ud800"}}`)
    expect([status, body.detail[0].loc]).toEqual([422, ['body', 'input', 'paper']])
  })

  test.each(['respond-async', 'respond-async, wait=10', 'wait=10,Respond-Async;foo'])(
    'with Prefer: %s is answered at once',
    async (prefer) => {
      expect((await post('{"input":{"word":"x"}}', { prefer })).status).toBe(202)
    },
  )
})

describe('a file', () => {
  const put = (name: string, payload: string) =>
    app.inject({
      method: 'PUT',
      url: `/files/0123456789abcdef/${encodeURIComponent(name)}`,
      payload,
      headers: { 'content-type': 'text/plain' },
    })
  const get = (name: string) => app.inject(`/files/0123456789abcdef/${encodeURIComponent(name)}`)

  test.each([200, 101])('may have a name of %i characters', async (length) => {
    const name = '€'.repeat(length)
    expect((await put(name, 'hello')).statusCode).toBe(201)
    expect((await get(name)).body).toBe('hello')
  })

  test('of 201 characters in its name is refused in words', async () => {
    const answer = await put('a'.repeat(201), 'hello')
    expect([answer.statusCode, answer.json().detail[0].msg]).toEqual([
      422,
      expect.stringContaining('1 to 200 characters'),
    ])
  })

  test('under an id that has one of another name is refused, and not said to be stored', async () => {
    expect((await put('a.txt', 'first')).statusCode).toBe(201)
    const other = await put('b.txt', 'second')
    expect([other.statusCode, other.json().detail[0].msg]).toEqual([
      422,
      'expected an id that no file has yet, got 0123456789abcdef, which has another file',
    ])
    expect((await get('a.txt')).body).toBe('first')
  })
})

const snapshot = (id: string, input: Input) => ({
  id,
  status: 'starting' as const,
  input,
  output: null,
  error: null,
  reason: null,
  logs: '',
  metrics: {},
  created_at: '2026-01-01T00:00:00.000Z',
  started_at: null,
  completed_at: null,
  deployment: null,
  commit: null,
  queue: null,
})

test('a file of which nothing more comes is answered with 408 and words, and is not kept', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('PUT /files/0123456789abcdef/slow HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf')
  expect(await text(socket)).toMatch(/^HTTP\/1.1 408 [\s\S]*expected more of the file within 0.2 s/)
  expect((await app.inject('/files/0123456789abcdef/slow')).statusCode).toBe(404)
})

test('a file that drips is answered with 408 once it took too long in all', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  socket.write('PUT /files/0123456789abcdef/drip HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf')
  const dripping = setInterval(() => socket.write('a'), 20)
  let answer = ''
  socket.on('data', (part) => {
    answer += String(part)
    // What is sent to a connection that was closed resets it.
    clearInterval(dripping)
  })
  await once(socket, 'close')
  clearInterval(dripping)
  expect(answer).toMatch(/^HTTP\/1.1 408 [\s\S]*expected all of the file within 0.5 s/)
})

test('a sender that goes in the middle of a file is no mistake of the server', async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  socket.write('PUT /files/0123456789abcdef/left HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf')
  await vi.waitFor(async () => expect(await readdir(folder)).not.toEqual([]))
  socket.destroy()
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]))
  expect(logged).toEqual([])
})
