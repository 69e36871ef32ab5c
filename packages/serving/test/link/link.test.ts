import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  type DemoSchema,
  Full,
  Gone,
  Invalid,
  newPredictionId,
  type PredictionEvent,
  type PredictionSnapshot,
} from '@origami/protocol/demo'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  acceptLinks,
  FolderFiles,
  HttpPredictor,
  LinkClient,
  limitJson,
  linkable,
  Misbehaved,
  type Prediction,
  type PredictionRequest,
  predictionsApi,
  ServerFault,
  sendError,
  Unanswered,
  unroutable,
} from '../../src/index.ts'
import { linkProtocol, windowBytes } from '../../src/link/messages.ts'

const schema: DemoSchema = {
  api: 1,
  title: 'Any',
  description: '',
  inputs: [{ name: 'word', label: 'word', component: 'text', options: {}, required: true }],
  outputs: [{ name: 'said', label: 'said', component: 'text', options: {}, required: true }],
  examples: [],
  streaming: false,
  concurrency: 1,
}

const snapshot = (id: string, status: PredictionSnapshot['status']): PredictionSnapshot => ({
  id,
  status,
  input: { word: 'x' },
  output: status === 'succeeded' ? 'X' : null,
  error: null,
  reason: null,
  logs: '',
  metrics: {},
  created_at: '2026-11-30T00:00:00.000Z',
  started_at: null,
  completed_at: status === 'succeeded' ? '2026-11-30T00:00:01.000Z' : null,
  deployment: null,
  commit: null,
  queue: null,
})

/** A prediction whose events a test sends. */
class Scripted implements Prediction {
  readonly id
  readonly request: PredictionRequest
  readonly sent: PredictionEvent[] = []
  /** How many events were taken of those that were sent. */
  taken = 0
  readers = 0
  private wake: (() => void)[] = []

  constructor(request: PredictionRequest) {
    this.id = request.id
    this.request = request
  }

  send(...events: PredictionEvent[]): void {
    this.sent.push(...events)
    for (const wake of this.wake.splice(0)) wake()
  }

  complete(): void {
    this.send({ seq: this.sent.length + 1, type: 'completed', data: snapshot(this.id, 'succeeded') })
  }

  async snapshot() {
    return snapshot(this.id, 'processing')
  }

  async *events(after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    this.readers += 1
    try {
      let at = after
      while (!signal?.aborted) {
        const event = this.sent[at]
        if (event) {
          at += 1
          this.taken += 1
          yield event
          if (event.type === 'completed') return
        } else
          await new Promise<void>((resolve) => {
            this.wake.push(resolve)
            signal?.addEventListener('abort', () => resolve(), { once: true })
          })
      }
    } finally {
      this.readers -= 1
    }
  }

  async cancel() {
    return false
  }
}

const said = (seq: number, chunk: string): PredictionEvent => ({
  seq,
  type: 'output',
  data: { field: 'said', mode: 'append', chunk, index: seq - 1 },
})

let folder: string
let app: FastifyInstance
let port: number
let link: LinkClient
let demo: HttpPredictor
/** What arrived, by the word of its input. */
let predictions: Map<string, Scripted>
/** The requests that came over HTTP. */
let requests: string[]
let refusal: Error | undefined
/** What the demo waits for before it has stored a prediction. */
let submitting: Promise<void> | undefined
let sockets: Socket[]
let bodyBytes: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-link-'))
  predictions = new Map()
  requests = []
  sockets = []
  bodyBytes = 1000
  refusal = undefined
  submitting = undefined
  await serve()
  link = new LinkClient({ origin: `http://127.0.0.1:${port}`, deadlines: () => ({ answerMs: 1000 }) })
  demo = reach(link)
})
afterEach(async () => {
  link[Symbol.dispose]()
  await app.close()
  await rm(folder, { recursive: true })
})

async function serve({ accepts = true, callerQueues = false } = {}) {
  app = Fastify({
    ...unroutable,
    http: { ...unroutable.http, ...(accepts ? linkable : {}) },
    forceCloseConnections: true,
  }) as FastifyInstance
  limitJson(app, { bytes: () => bodyBytes })
  app.setErrorHandler(sendError)
  app.addHook('onRequest', async ({ method, url }) => void requests.push(`${method} ${url}`))
  app.server.on('connection', (socket: Socket) => sockets.push(socket))
  const serving = { maxFileBytes: () => 1000, remoteFiles: false, predictor: async () => predictor }
  const predictor = {
    files: new FolderFiles(folder, { maxFileBytes: () => 1000 }),
    schema: async () => schema,
    health: async () => ({ status: 'READY' as const, setup: null, version: {} }),
    async submit(request: PredictionRequest) {
      if (refusal) throw refusal
      const prediction = new Scripted(request)
      predictions.set(String(request.input.word), prediction)
      await submitting
      return prediction
    },
    find: async (id: string) => [...predictions.values()].find((one) => one.id === id),
  }
  if (accepts)
    acceptLinks(app, {
      ...serving,
      callerQueues,
      maxBytes: () => bodyBytes,
      predictor: async ({ demo: asked }) => (asked === 'none' ? undefined : predictor),
    })
  await app.register(predictionsApi, serving)
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
}

const reach = (over: LinkClient | undefined, named?: string): HttpPredictor =>
  new HttpPredictor({
    base: `http://127.0.0.1:${port}`,
    link: over,
    ...(named === undefined ? {} : { linked: { demo: named } }),
    deadlines: () => ({ answerMs: 1000 }),
  })

const ask = (word: string, follow: 'events' | 'end' = 'events', signal?: AbortSignal) =>
  demo.submit({ id: newPredictionId(), input: { word }, follow }, signal)

function at(word: string): Scripted {
  const found = predictions.get(word)
  if (!found) throw new Error(`${word} did not arrive`)
  return found
}

async function all(events: AsyncIterable<PredictionEvent>): Promise<PredictionEvent[]> {
  const read: PredictionEvent[] = []
  for await (const event of events) read.push(event)
  return read
}

async function* nothing(): AsyncIterable<PredictionEvent> {}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a prediction over a link', () => {
  test('is one message there, and its events come back, with no request over HTTP', async () => {
    const prediction = await ask('a')
    const read = all(prediction.events())
    at('a').send(said(1, 'X'))
    at('a').complete()
    expect((await read).map(({ type }) => type)).toEqual(['output', 'completed'])
    expect(requests).toEqual([])
    expect(sockets).toHaveLength(1)
  })

  test('tells a caller who keeps the queue at once what has begun, and no places', async () => {
    await app.close()
    await serve({ callerQueues: true })
    link = new LinkClient({ origin: `http://127.0.0.1:${port}` })
    demo = reach(link)
    const told: string[] = []
    const follow = async (events: AsyncIterable<PredictionEvent>) => {
      for await (const { type } of events) {
        told.push(type)
        heard.resolve()
      }
    }
    const heard = Promise.withResolvers<void>()
    const [a, b] = [await ask('a'), await ask('b')]
    const reading = [follow(a.events()), follow(b.events())]
    // Time stands still, so nothing is told later than at once.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    at('a').send({ type: 'queue', data: { position: 1, eta: null } })
    at('b').send({ seq: 1, type: 'start', data: { id: b.id, status: 'processing' } })
    await heard.promise
    vi.useRealTimers()
    expect(told).toEqual(['start'])
    at('a').complete()
    at('b').complete()
    await Promise.all(reading)
  })

  test('whose end alone is followed says its end', async () => {
    const prediction = await ask('a', 'end')
    at('a').send(said(1, 'X'))
    at('a').complete()
    expect(await prediction.ended?.()).toMatchObject({ id: prediction.id, status: 'succeeded', output: 'X' })
    expect(requests).toEqual([])
  })

  test('many share one connection, and each gets its own events', async () => {
    const words = Array.from({ length: 50 }, (_, number) => `w${number}`)
    const made = await Promise.all(words.map((word) => ask(word, 'end')))
    for (const word of words.toReversed()) at(word).complete()
    const ends = await Promise.all(made.map((prediction) => prediction.ended?.()))
    expect(ends.map((end) => end?.id)).toEqual(made.map(({ id }) => id))
    expect(sockets).toHaveLength(1)
  })

  test('that nobody follows is asked for over HTTP as before', async () => {
    await demo.submit({ id: newPredictionId(), input: { word: 'a' } })
    expect(requests).toEqual([expect.stringContaining('PUT /predictions/')])
  })

  test.each([
    ['an input that does not fit', new Invalid([{ field: 'word', type: 'value_error', message: 'no' }]), Invalid],
    ['a full queue', new Full('so many wait', 7), Full],
    ['a demo that is stopped', new Gone('This demo is stopped.'), Gone],
    ['a fault', new Error('secret'), ServerFault],
  ])('is refused for %s as it is over HTTP', async (_what, error, kind) => {
    refusal = error
    const overLink = await rejection(ask('a'))
    const overHttp = await rejection(demo.submit({ id: newPredictionId(), input: { word: 'a' } }))
    expect(overLink).toBeInstanceOf(kind)
    const { cause: _cause, ...told } = { ...(overLink as Error) }
    expect(told).toEqual({ ...(overHttp as Error) })
    if (kind !== ServerFault) expect((overLink as Error).message).toBe((overHttp as Error).message)
    expect((overLink as Error).message).not.toContain('secret')
  })

  test('with an input above the limit of the server is refused as too large, as it is over HTTP', async () => {
    const word = 'x'.repeat(2000)
    const overLink = await rejection(ask(word))
    const overHttp = await rejection(demo.submit({ id: newPredictionId(), input: { word } }))
    for (const error of [overLink, overHttp]) {
      expect(error).toMatchObject({ problems: [{ type: 'value_error.too_large' }] })
      expect((error as Error).message).toMatch(/expected a body of at most 1000 bytes, got 2\d\d\d/)
    }
    expect(predictions.size).toBe(0)
  })

  test('with an input that would hold up others is made over HTTP', async () => {
    const word = 'x'.repeat(1024 ** 2)
    bodyBytes = 2 * 1024 ** 2
    const prediction = await ask(word)
    at(word).complete()
    expect((await all(prediction.events())).map(({ type }) => type)).toEqual(['completed'])
    expect(requests).toEqual([`PUT /predictions/${prediction.id}`])
  })

  test('for a demo that is not there is refused as missing', async () => {
    demo = reach(link, 'none')
    expect(await rejection(ask('a'))).toBeInstanceOf(Misbehaved)
    expect(predictions.size).toBe(0)
  })

  test('follows on over the next link where one broke, and gets nothing twice', async () => {
    const prediction = await ask('a')
    const read: PredictionEvent[] = []
    const reading = (async () => {
      for await (const event of prediction.events()) read.push(event)
    })()
    at('a').send(said(1, 'X'))
    await vi.waitFor(() => expect(read).toHaveLength(1))
    for (const socket of sockets.splice(0)) socket.destroy()
    at('a').send(said(2, 'Y'))
    at('a').complete()
    await reading
    expect(read.map((event) => 'seq' in event && event.seq)).toEqual([1, 2, 3])
    expect(requests).toEqual([])
    expect(sockets).toHaveLength(1)
  })

  test('follows on over HTTP where links break again and again', async () => {
    const prediction = await ask('a')
    const reading = all(prediction.events())
    const breaking = setInterval(() => {
      if (requests.length === 0) for (const socket of sockets.splice(0)) socket.destroy()
    })
    await vi.waitFor(() => expect(requests).toEqual([`GET /predictions/${prediction.id}/events`]))
    clearInterval(breaking)
    at('a').complete()
    expect((await reading).map(({ type }) => type)).toEqual(['completed'])
  })

  test('whose end alone is followed gets it over the next link where one broke', async () => {
    const prediction = await ask('a', 'end')
    const ended = prediction.ended?.()
    for (const socket of sockets.splice(0)) socket.destroy()
    await vi.waitFor(() => expect(at('a').readers).toBe(1))
    at('a').complete()
    expect(await ended).toMatchObject({ status: 'succeeded' })
  })

  test('is neither known to have arrived nor not where the link breaks first', async () => {
    submitting = new Promise(() => undefined)
    const asked = rejection(ask('a'))
    await vi.waitFor(() => expect(predictions.has('a')).toBe(true))
    for (const socket of sockets.splice(0)) socket.destroy()
    expect(await asked).toBeInstanceOf(Unanswered)
  })

  test('is neither known to have arrived nor not where no answer comes in time, and the next one is made', async () => {
    submitting = new Promise(() => undefined)
    expect(await rejection(ask('a'))).toBeInstanceOf(Unanswered)
    submitting = undefined
    const prediction = await ask('b', 'end')
    at('b').complete()
    expect(await prediction.ended?.()).toMatchObject({ status: 'succeeded' })
    expect(sockets).toHaveLength(1)
  })

  test('is left when its caller no longer wants the answer', async () => {
    submitting = new Promise(() => undefined)
    const caller = new AbortController()
    const asked = rejection(ask('a', 'events', caller.signal))
    await vi.waitFor(() => expect(predictions.has('a')).toBe(true))
    caller.abort(new Error('no longer wanted'))
    expect(await asked).toMatchObject({ message: 'no longer wanted' })
    expect(await rejection(ask('b', 'events', caller.signal))).toMatchObject({ message: 'no longer wanted' })
    expect(predictions.has('b')).toBe(false)
  })

  test('that its reader leaves is no longer read there', async () => {
    const leaving = new AbortController()
    const prediction = await ask('a')
    const reading = all(prediction.events(0, leaving.signal))
    await vi.waitFor(() => expect(at('a').readers).toBe(1))
    leaving.abort()
    expect(await reading).toEqual([])
    await vi.waitFor(() => expect(at('a').readers).toBe(0))
  })

  test('that is there already is found, and its events after a number come back, without HTTP', async () => {
    const { id } = await ask('a', 'end')
    at('a').send(said(1, 'X'), said(2, 'Y'))
    const prediction = await demo.find(id)
    const read = all(prediction?.events(1) ?? nothing())
    at('a').complete()
    expect((await read).map((event) => 'seq' in event && event.seq)).toEqual([2, 3])
    expect(requests).toEqual([])
    expect(sockets).toHaveLength(1)
  })

  test('that was found and is followed by nobody holds nothing there', async () => {
    const { id } = await ask('a')
    expect(await demo.find(id)).toBeDefined()
    expect(at('a').readers).toBe(1)
  })

  test.each([
    ['that nobody made', undefined],
    ['of a demo that is not there', 'none'],
  ])('%s is not found, as over HTTP', async (_what, named) => {
    demo = reach(link, named)
    expect(await demo.find(newPredictionId())).toBeUndefined()
    expect(requests).toEqual([])
  })

  test('that is forgotten before it is followed is missing, as over HTTP', async () => {
    const prediction = await ask('a')
    predictions.clear()
    const overLink = await rejection(all(prediction.events(1)))
    const other = await reach(undefined).submit({ id: newPredictionId(), input: { word: 'b' } })
    predictions.clear()
    const overHttp = await rejection(all(other.events()))
    expect(overLink).toBeInstanceOf(Misbehaved)
    expect(overLink).toEqual(overHttp)
  })

  test('whose reader is slow holds back nobody, and fills no memory', async () => {
    const slow = (await ask('slow')).events()[Symbol.asyncIterator]()
    const chunk = 'x'.repeat(windowBytes / 8)
    const first = slow.next()
    for (let seq = 1; seq <= 100; seq += 1) at('slow').send(said(seq, chunk))
    await first
    await vi.waitFor(() => expect(at('slow').taken).toBeGreaterThanOrEqual(8))
    const other = await ask('other', 'end')
    at('other').complete()
    expect(await other.ended?.()).toMatchObject({ status: 'succeeded' })
    // What is on the way, and not the hundred events of more than 12 MiB.
    expect(at('slow').taken).toBeLessThan(20)
    at('slow').complete()
    let last = await slow.next()
    for (let next = last; !next.done; next = await slow.next()) last = next
    expect(last.value).toMatchObject({ type: 'completed', seq: 101 })
    expect(at('slow').taken).toBe(101)
  })
})

describe('a server', () => {
  test('that has no link is called over HTTP', async () => {
    await app.close()
    await serve({ accepts: false })
    const none = new LinkClient({ origin: `http://127.0.0.1:${port}` })
    demo = reach(none)
    const prediction = await ask('a')
    at('a').complete()
    expect((await all(prediction.events())).map(({ type }) => type)).toEqual(['completed'])
    expect(requests.filter((request) => !request.endsWith('/link'))).toEqual([
      `PUT /predictions/${prediction.id}`,
      `GET /predictions/${prediction.id}/events`,
    ])
    none[Symbol.dispose]()
  })

  test('that is away is gone, and is reached by a link once it is back', async () => {
    await app.close()
    const away = new LinkClient({ origin: `http://127.0.0.1:${port}` })
    demo = reach(away)
    expect(await rejection(ask('a'))).toBeInstanceOf(Gone)
    away[Symbol.dispose]()
    await serve()
    link = new LinkClient({ origin: `http://127.0.0.1:${port}` })
    demo = reach(link)
    const prediction = await ask('b', 'end')
    at('b').complete()
    expect(await prediction.ended?.()).toMatchObject({ status: 'succeeded' })
  })

  test('that leaves ends its links, and sends what was on its way before', async () => {
    const prediction = await ask('a', 'end')
    at('a').complete()
    await app.close()
    expect(await prediction.ended?.()).toMatchObject({ status: 'succeeded' })
    expect(await link.open()).toBeUndefined()
  })

  test('answers a request for another protocol as if it had not asked for one', async () => {
    for (const head of [
      'GET /health-check HTTP/1.1\r\nupgrade: h2c',
      `GET /health-check HTTP/1.1\r\nupgrade: ${linkProtocol}`,
    ]) {
      const socket = connect(port, '127.0.0.1')
      socket.write(`${head}\r\nhost: x\r\nconnection: upgrade, close\r\n\r\n`)
      expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK/)
    }
  })

  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /link HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${linkProtocol}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [Buffer]
    expect(head.toString()).toMatch(/^HTTP\/1.1 101/)
    return socket.resume()
  }
  const frame = (message: unknown): Buffer => {
    const body = Buffer.from(JSON.stringify(message))
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    return Buffer.concat([head, body])
  }

  test.each([
    ['no call', { predict: { id: 'x'.repeat(26), input: {}, follow: 'end' } }],
    ['a key that is not known', { call: 1, predict: { id: 'x'.repeat(26), input: {}, follow: 'end', more: 1 } }],
    ['too much', { call: 1, predict: { id: 'x'.repeat(26), input: { word: 'x'.repeat(1024 ** 2) }, follow: 'end' } }],
    ['a call of no number', { call: -1, leave: true }],
  ])('ends a link that sends %s, and goes on with others', async (_what, message) => {
    const prediction = await ask('a', 'end')
    const hostile = await open()
    const closed = new Promise((resolve) => hostile.on('error', () => undefined).once('close', resolve))
    hostile.write(frame(message))
    await closed
    at('a').complete()
    expect(await prediction.ended?.()).toMatchObject({ status: 'succeeded' })
    expect([...predictions.keys()]).toEqual(['a'])
  })

  test.each([
    ['an input that is no object', '"word"', 'expected input to be an object'],
    ['a number that JSON cannot hold', '{"word":1e999}', 'expected numbers below'],
  ])('refuses %s before the demo sees it', async (_what, input, problem) => {
    const socket = await open()
    const answered = once(socket, 'data')
    const body = Buffer.from(`{"call":1,"predict":{"id":"${newPredictionId()}","input":${input},"follow":"end"}}`)
    const head = Buffer.alloc(4)
    head.writeUInt32BE(body.length)
    socket.write(Buffer.concat([head, body]))
    const [bytes] = (await answered) as [Buffer]
    expect(JSON.parse(bytes.toString('utf8', 4))).toMatchObject({ call: 1, refused: { status: 422 } })
    expect(bytes.toString('utf8', 4)).toContain(problem)
    expect(predictions.size).toBe(0)
    socket.destroy()
  })

  test('ignores what comes for calls that are over', async () => {
    const socket = await open()
    const answered = once(socket, 'data')
    socket.write(Buffer.concat([frame({ call: 9, taken: 5 }), frame({ call: 9, leave: true })]))
    socket.write(frame({ call: 10, predict: { id: 'x', input: {}, follow: 'end' } }))
    const [bytes] = (await answered) as [Buffer]
    expect(JSON.parse(bytes.toString('utf8', 4))).toMatchObject({ call: 10, refused: { status: 422 } })
    socket.destroy()
  })

  test('takes no more links than it can hold, and others once some have ended', async () => {
    const held: Socket[] = []
    for (let count = 0; count < 64; count += 1) held.push(await open())
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /link HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${linkProtocol}\r\n\r\n`)
    expect(await text(socket)).toMatch(/^HTTP\/1.1 503/)
    for (const one of held) one.destroy()
    await vi.waitFor(async () => (await open()).destroy())
  })
})
