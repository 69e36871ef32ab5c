import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type DemoSchema, fileRef, Gone, newPredictionId, type PredictionEvent } from '@origami/protocol/demo'
import { afterEach, describe, expect, test } from 'vitest'
import { HttpPredictor, Unanswered } from '../../src/index.ts'

const servers: Server[] = []

/** A demo over there that behaves as a test wants, with deadlines that a test can wait for. */
async function demoThat(
  answers: RequestListener,
  deadlines = { answerMs: 200, idleMs: 200 },
): Promise<{ predictor: HttpPredictor; server: Server }> {
  const server = createServer(answers)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, predictor: new HttpPredictor({ base: `http://127.0.0.1:${port}`, deadlines: () => deadlines }) }
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const id = newPredictionId()
const file = fileRef('0123456789abcdef', 'a.bin')
const schema = {
  api: 1,
  title: 'T',
  description: '',
  inputs: [],
  outputs: [{ name: 'said', label: 'said', component: 'text', options: {}, required: true }],
  examples: [],
  streaming: false,
  concurrency: 1,
} satisfies DemoSchema

async function* endless(): AsyncIterable<Uint8Array> {
  for (;;) yield new Uint8Array(1024 ** 2)
}

async function all(events: AsyncIterable<PredictionEvent>): Promise<PredictionEvent[]> {
  const read: PredictionEvent[] = []
  for await (const event of events) read.push(event)
  return read
}

const calls: [string, (predictor: HttpPredictor, signal?: AbortSignal) => Promise<unknown>][] = [
  ['schema', (predictor, signal) => predictor.schema(signal)],
  ['health', (predictor, signal) => predictor.health(signal)],
  ['submit', (predictor, signal) => predictor.submit({ id, input: {} }, signal)],
  ['find', (predictor, signal) => predictor.find(id, signal)],
  ['files.put', (predictor, signal) => predictor.files.put('0123456789abcdef', 'a.bin', undefined, endless(), signal)],
  ['files.open', (predictor, signal) => predictor.files.open(file, signal)],
]

describe('a demo that accepts and never answers', () => {
  test.each(calls)('is gone at the deadline of %s, and nobody knows whether it arrived', async (_name, call) => {
    const { predictor } = await demoThat(() => {})
    const error = await call(predictor).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(Gone)
    expect(error).toBeInstanceOf(Unanswered)
  })

  test.each(calls)('is left at once when the caller of %s no longer wants it', async (_name, call) => {
    const { predictor, server } = await demoThat(() => {})
    const caller = new AbortController()
    const asked = call(predictor, caller.signal)
    const settled = asked.catch((caught: unknown) => caught)
    await once(server, 'request')
    caller.abort(new Error('no longer wanted'))
    expect(await settled).toMatchObject({ message: 'no longer wanted' })
  })

  test('that begins an answer and stops in its middle is gone too', async () => {
    const { predictor } = await demoThat((_request, response) => void response.writeHead(200).write('{"api":'))
    await expect(predictor.schema()).rejects.toBeInstanceOf(Unanswered)
  })

  test('a file of which no more bytes come is gone', async () => {
    const { predictor } = await demoThat((request, response) => {
      response.writeHead(200, { 'content-length': 100 })
      if (request.method === 'HEAD') response.end()
      else response.write('half')
    })
    const open = await predictor.files.open(file)
    const reading = async () => {
      for await (const _part of open?.bytes() ?? []);
    }
    await expect(reading()).rejects.toBeInstanceOf(Unanswered)
  })
})

test('where nobody listens nothing arrived, and that is known', async () => {
  const { predictor, server } = await demoThat(() => {})
  server.close()
  await once(server, 'close')
  const error = await predictor.submit({ id, input: {} }).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(Gone)
  expect(error).not.toBeInstanceOf(Unanswered)
})

test('what cannot be read on this side is no fault of the demo', async () => {
  const { predictor } = await demoThat((request) => void request.resume())
  // biome-ignore lint/correctness/useYield: it breaks before its first byte
  const broken = (async function* (): AsyncIterable<Uint8Array> {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  })()
  const error = await predictor.files
    .put('0123456789abcdef', 'a.bin', undefined, broken)
    .catch((caught: unknown) => caught)
  expect(error).not.toBeInstanceOf(Gone)
  expect(error).toMatchObject({ message: 'what was to be sent cannot be read' })
})

test.each([
  ['with its length', 3, { length: '3', encoding: undefined }],
  ['in chunks, where its size is not known', undefined, { length: undefined, encoding: 'chunked' }],
])('a file is sent %s', async (_how, size, expected) => {
  const came = Promise.withResolvers<unknown>()
  const { predictor } = await demoThat(
    async (request, response) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
      came.resolve({ length, encoding, body: await text(request) })
      response.end('{"ref":"files/0123456789abcdef/a.bin"}')
    },
    { answerMs: 60_000, idleMs: 60_000 },
  )
  const bytes = Readable.from([Buffer.from('ab'), Buffer.from('c')])
  await predictor.files.put('0123456789abcdef', 'a.bin', undefined, bytes, undefined, size)
  expect(await came.promise).toEqual({ ...expected, body: 'abc' })
})

describe('what a demo answers is not believed', () => {
  /** The size of an answer is to end it, however slow the machine is. */
  const patient = { answerMs: 60_000, idleMs: 60_000 }

  test.each([
    ['a schema above 4 MiB', (predictor: HttpPredictor) => predictor.schema(), 'at most 4194304 bytes'],
    ['a health above 1 MiB', (predictor: HttpPredictor) => predictor.health(), 'at most 1048576 bytes'],
  ])('%s is refused, however long it goes on', async (_name, ask, message) => {
    const { predictor } = await demoThat((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(64 * 1024)));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).on('drain', more)
      more()
    }, patient)
    await expect(ask(predictor)).rejects.toThrow(message)
  })

  test.each([
    ['no JSON', 'nonsense', 'expected JSON from'],
    ['JSON of another shape', JSON.stringify({ ...schema, concurrency: 'many' }), 'concurrency'],
  ])('%s in the place of a schema is an error that says so', async (_name, body, message) => {
    const { predictor } = await demoThat((_request, response) => void response.end(body))
    const error = await predictor.schema().catch((caught: unknown) => caught)
    expect(error).not.toBeInstanceOf(Gone)
    expect(String(error)).toContain(message)
  })

  const events = async (predictor: HttpPredictor) => all((await predictor.submit({ id, input: {} })).events())

  const ended = {
    id,
    status: 'succeeded',
    input: {},
    output: 'x',
    error: null,
    reason: null,
    logs: '',
    metrics: {},
    created_at: '',
    started_at: null,
    completed_at: null,
    deployment: null,
    commit: null,
    queue: null,
  }
  const answering = (listener: (write: (event: string, data: unknown, seq?: number) => void) => void) =>
    demoThat((request, response) => {
      if (request.method === 'PUT') return void response.end('{}')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      listener((event, data, seq) =>
        response.write(`${seq ? `id: ${seq}\n` : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
      )
      response.end()
    })

  test('an event that is none ends the reading with what is wrong about it', async () => {
    const { predictor } = await answering((write) =>
      write('output', { field: 'said', mode: 'upside-down', index: 0 }, 1),
    )
    await expect(events(predictor)).rejects.toThrow(/mode/)
  })

  test('an event of a kind that is not known is passed over, and a number that went by does not come twice', async () => {
    const { predictor } = await answering((write) => {
      write('start', { id, status: 'processing' }, 1)
      write('applause', { loud: true }, 2)
      write('start', { id, status: 'processing' }, 1)
      write('completed', ended, 3)
    })
    expect((await events(predictor)).map(({ type }) => type)).toEqual(['start', 'completed'])
  })

  test('a page in the place of an event stream is an error at once, that says what came', async () => {
    let connections = 0
    const { predictor } = await demoThat((request, response) => {
      if (request.method === 'PUT') return void response.end('{}')
      connections += 1
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')
    })
    await expect(events(predictor)).rejects.toThrow(/expected text\/event-stream from .*, got text\/html/)
    expect(connections).toBe(1)
  })

  test.each(calls.filter(([name]) => name !== 'files.put'))(
    '%s tells when a full one is to be asked again',
    async (_name, call) => {
      const { predictor } = await demoThat(
        (_request, response) => void response.writeHead(429, { 'retry-after': '17' }).end('{}'),
      )
      await expect(call(predictor)).rejects.toMatchObject({ retryAfterSeconds: 17 })
    },
  )

  test('what is no reference in the place of one is an error that shows it', async () => {
    const { predictor } = await demoThat(
      (_request, response) => void response.end('{"ref":"https://elsewhere.test/x"}'),
    )
    const put = predictor.files.put('0123456789abcdef', 'a.bin', undefined, (async function* () {})())
    await expect(put).rejects.toThrow('expected a file reference')
  })
})
