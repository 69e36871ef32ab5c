import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { hostless, sendError, unroutable } from '@origami/serving'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import {
  limitConnections,
  limitOpenRequests,
  limitSlowRequests,
  slowRequestsRound,
} from '../../src/server/api/limit-connections.ts'
import { defaultLimits } from '../../src/server/config.ts'

let app: FastifyInstance
let port: number
const opened = new AbortController()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
})

async function listen(change: Partial<typeof defaultLimits>, proxy = ''): Promise<void> {
  const limits = { ...defaultLimits, ...change }
  app = Fastify({
    ...unroutable,
    http: { ...hostless, ...slowRequestsRound },
    forceCloseConnections: true,
    trustProxy: true,
  })
  limitSlowRequests(app.server, limits)
  limitConnections(app.server, limits, (address) => address === proxy)
  app.setErrorHandler(sendError)
  limitOpenRequests(app, limits)
  app.get('/stream', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200).write('open')
    opened.signal.addEventListener('abort', () => reply.raw.end())
  })
  app.get('/', async () => 'here')
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
}

function open(): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  return socket
}
const ask = (path: string, from: string, signal?: AbortSignal) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-forwarded-for': from }, signal: signal ?? null })

test('connections of one address above its limit are refused in words, those of a proxy are not; one that ends makes room', async () => {
  await listen({ connectionsPerAddress: 2, connections: 3 })
  const kept = [open(), open()]
  await Promise.all(kept.map((socket) => once(socket, 'connect')))
  expect(await text(open())).toMatch(/^HTTP\/1.1 429 [\s\S]*retry-after: 5[\s\S]*expected at most 2 connections/)
  kept[0]?.destroy()
  const again = async () => {
    const socket = open()
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    return (await text(socket)).slice(0, 12)
  }
  await expect.poll(again).toBe('HTTP/1.1 200')
})

test('a proxy has as many connections as there may be at all', async () => {
  await listen({ connectionsPerAddress: 1, connections: 2 }, '127.0.0.1')
  await Promise.all([open(), open()].map((socket) => once(socket, 'connect')))
  expect(await text(open())).toMatch(/^HTTP\/1.1 503 [\s\S]*expected at most 2 connections/)
})

test('streams that are open count by address, /64 of IPv6, and in all, until they end', async () => {
  await listen({ openRequestsPerAddress: 2, openRequests: 3 })
  const leaving = new AbortController()
  const first = await ask('/stream', '2001:db8:1:2::1', leaving.signal)
  await ask('/stream', '2001:db8:1:2:ffff::1')
  const refused = await ask('/', '2001:db8:1:2::3')
  expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toEqual([
    429,
    '5',
    { error: 'expected at most 2 requests under way from one address, got more; try again once one ended' },
  ])
  expect((await ask('/nothing', '2001:db8:1:2::3')).status).toBe(429)
  await ask('/stream', '203.0.113.1')
  expect((await ask('/', '203.0.113.2')).status).toBe(503)
  expect(first.status).toBe(200)
  leaving.abort()
  await expect.poll(async () => (await ask('/', '203.0.113.2')).status).toBe(200)
})

test.each([
  ['headers that drip', 'GET / HTTP/1.1\r\nhost: a\r\n', 'a: b\r\n'],
  [
    'a body that drips where nobody reads it',
    'POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n',
    'a',
  ],
  ['nothing at all', '', ''],
])(
  'who sends %s is cut off',
  async (_what, begin, more) => {
    await listen({ headerMs: 200, bodyMs: 300, fileMs: 300 })
    const socket = open()
    socket.write(begin)
    const dripping = setInterval(() => socket.write(more), 20)
    let answered = ''
    socket.on('data', (part) => {
      answered += String(part)
      // What is sent to a connection that was closed resets it.
      if (answered.includes(' 408 ')) clearInterval(dripping)
    })
    await once(socket, 'close')
    clearInterval(dripping)
    expect(answered).toContain('HTTP/1.1 408 ')
  },
  20_000,
)
