import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { Gone } from '@origami/protocol/demo'
import { Agent } from 'undici'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { HttpClient, type HttpClientOptions, Unanswered } from '../../src/client/http-client.ts'
import { Misbehaved } from '../../src/client/refusal.ts'
import { BodyRefused } from '../../src/http/limit-json.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A client of a server that behaves as a test wants. */
async function clientOf(answers: RequestListener, options: Partial<HttpClientOptions> = {}) {
  const server = createServer(answers)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { server, base, client: new HttpClient({ base, ...options }) }
}

async function* bytes(): AsyncIterable<Uint8Array> {
  yield Buffer.from('bytes')
}

const calls: [string, (client: HttpClient, signal?: AbortSignal) => Promise<unknown>][] = [
  ['json', (client, signal) => client.json('GET', '/x', 1000, { signal })],
  ['head', (client, signal) => client.head('HEAD', '/x', signal)],
  ['upload', (client, signal) => client.upload('/x', {}, bytes(), signal)],
  ['download', (client, signal) => buffer(client.download('/x', {}, signal))],
]
const withBody = calls.filter(([name]) => name !== 'head')
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'it succeeded',
    (error: unknown) => error,
  )

describe('a call that nobody wants any more', () => {
  const reason = new DOMException('no longer wanted', 'AbortError')

  test.each(calls)('is not sent when that was known before %s', async (_name, call) => {
    let requests = 0
    const { client } = await clientOf((_request, response) => {
      requests += 1
      response.end('{}')
    })
    expect(await failure(call(client, AbortSignal.abort(reason)))).toBe(reason)
    expect(requests).toBe(0)
  })

  test.each(withBody)('is left in the middle of the answer to %s, and its connection closed', async (_name, call) => {
    const caller = new AbortController()
    const closed = Promise.withResolvers<void>()
    const { client } = await clientOf((request, response) => {
      request.resume()
      response.on('close', closed.resolve).writeHead(200).write('{')
      caller.abort(reason)
    })
    expect(await failure(call(client, caller.signal))).toBe(reason)
    await closed.promise
  })
})

test.each(withBody)(
  'an answer to %s that breaks off is one of which nobody knows what came of it',
  async (_name, call) => {
    const { client, base } = await clientOf((request, response) => {
      request.resume()
      response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy())
    })
    const error = await failure(call(client))
    expect(error).toBeInstanceOf(Unanswered)
    expect(error).toMatchObject({ message: `nobody answers at ${base}`, cause: expect.any(Error) })
  },
)

test('a download whose reader leaves closes its connection', async () => {
  const closed = Promise.withResolvers<void>()
  const { client } = await clientOf((_request, response) => {
    response.on('close', closed.resolve).writeHead(200).write('half')
  })
  for await (const part of client.download('/x', {})) {
    expect(String(part)).toBe('half')
    break
  }
  await closed.promise
})

test('a body that is not needed is dropped, so that its connection takes the next call', async () => {
  const dispatcher = new Agent({ connections: 1 })
  onTestFinished(() => dispatcher.close())
  let connections = 0
  const { client, server } = await clientOf((_request, response) => void response.end('x'.repeat(100_000)), {
    dispatcher,
  })
  server.on('connection', () => {
    connections += 1
  })
  expect((await client.head('GET', '/a')).statusCode).toBe(200)
  await client.head('GET', '/b')
  expect(connections).toBe(1)
})

describe('what callers who may not see an address are told', () => {
  const messages = { away: 'the daemon is away', missing: 'there is no such demo' }

  test.each(withBody)('of a 404 to %s is that it is missing', async (_name, call) => {
    const { client } = await clientOf(
      (request, response) => {
        request.resume()
        response.writeHead(404).end('{"error":"no /x at 10.0.0.1"}')
      },
      { messages },
    )
    const error = await failure(call(client))
    expect(error).toBeInstanceOf(Gone)
    expect(error).toMatchObject({ message: messages.missing })
  })

  test.each(calls)('of nobody listening to %s is that it is away, and that nothing arrived', async (_name, call) => {
    const { client, server } = await clientOf(() => undefined, { messages })
    server.close()
    await once(server, 'close')
    const error = await failure(call(client))
    expect(error).toBeInstanceOf(Gone)
    expect(error).not.toBeInstanceOf(Unanswered)
    expect(error).toMatchObject({ message: messages.away })
  })
})

test('a 404 is an answer that its API does not have, where nothing else is agreed on', async () => {
  const { client } = await clientOf((_request, response) => void response.writeHead(404).end('{}'))
  expect(await failure(client.json('GET', '/x', 1000))).toBeInstanceOf(Misbehaved)
})

test('bytes that are refused while they are sent on end the upload with that refusal', async () => {
  const { client } = await clientOf((request) => void request.resume())
  const late = new BodyRefused(408, 'expected a byte within 10 s')
  const slow = (async function* (): AsyncIterable<Uint8Array> {
    yield Buffer.from('half')
    throw late
  })()
  expect(await failure(client.upload('/x', {}, slow))).toBe(late)
})

test('its own headers and those of a call are sent to its address, with one slash between', async () => {
  const { base } = await clientOf((request, response) => {
    const { a, b } = request.headers
    response.end(JSON.stringify([request.method, request.url, a, b]))
  })
  const client = new HttpClient({ base: `${base}/`, headers: () => ({ a: 'client', b: 'client' }) })
  expect(await client.json('DELETE', '/x', 1000, { headers: { b: 'call' } })).toEqual([
    'DELETE',
    '/x',
    'client',
    'call',
  ])
})

test('who must not see its address reads its name in every error', async () => {
  const answers: RequestListener[] = [
    (_request, response) => response.writeHead(503).end(),
    (_request, response) => response.writeHead(500).end('{"error":"no"}'),
    (_request, response) => response.writeHead(418).end(),
    (_request, response) => response.end('no JSON'),
    (request) => request.socket.destroy(),
  ]
  for (const answer of answers) {
    const { client } = await clientOf(answer, { name: 'the daemon' })
    const error: unknown = await client.json('GET', '/x', 1000).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ message: expect.stringContaining('the daemon') })
    expect(String(error)).not.toContain('127.0.0.1')
  }
})
