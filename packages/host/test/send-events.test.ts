import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { sendEvents } from '../src/send-events.ts'

test('a reader that takes nothing is cut off, and what was meant for it is no longer made', async () => {
  const app = Fastify()
  const ended = Promise.withResolvers<boolean>()
  app.get('/', async (_request, reply) => {
    await sendEvents(
      reply,
      async function* (signal) {
        try {
          for (;;) yield { data: 'x'.repeat(1024 ** 2) }
        } finally {
          ended.resolve(signal.aborted)
        }
      },
      15_000,
      50,
    )
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const reader = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  reader.pause().on('error', () => {})
  reader.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await ended.promise
  reader.resume()
  await once(reader, 'close')
  expect(reader.bytesRead).toBeGreaterThan(0)
  await app.close()
})

test('HEAD is told what would be sent, and the connection is free for the next request', async () => {
  const app = Fastify()
  let made = false
  app.get('/', async (_request, reply) =>
    sendEvents(reply, async function* () {
      made = true
      yield* []
      await new Promise(() => {})
    }),
  )
  app.get('/next', async () => 'next')
  await app.listen({ port: 0, host: '127.0.0.1' })
  const reader = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  reader.write('HEAD / HTTP/1.1\r\nhost: x\r\n\r\nGET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const answers = await text(reader)
  expect(answers).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*text\/event-stream[\s\S]*HTTP\/1.1 200 OK[\s\S]*next$/)
  expect(made).toBe(false)
  await app.close()
})

const request = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
const dataOf = (answer: string): string[] => [...answer.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data)

test('events of one turn of the event loop are one write, the headers and the end with them', async () => {
  const app = Fastify()
  app.get('/', async (_request, reply) =>
    sendEvents(reply, async function* () {
      for (let event = 0; event < 600; event += 1) {
        yield { data: event }
        if (event === 299) await setImmediate()
        // Whatever else happens in the same turn parts no two events.
        else if (event % 2 === 0) await new Promise<void>((resolve) => process.nextTick(resolve))
      }
    }),
  )
  let writes = 0
  app.server.on('connection', (socket: Socket) => {
    const { _write, _writev } = socket
    socket._write = (...args) => {
      writes += 1
      _write.apply(socket, args)
    }
    socket._writev = (...args) => {
      writes += 1
      _writev?.apply(socket, args)
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const reader = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  reader.write(request)
  expect(dataOf(await text(reader))).toEqual(Array.from({ length: 600 }, (_, event) => String(event)))
  expect(writes).toBe(2)
  await app.close()
})

test('a reader that reads nothing stops what is made for it alone: another one gets all', async () => {
  const app = Fastify()
  const made = new Map<string, number>()
  const events = 2000
  const size = 16 * 1024
  app.get<{ Querystring: { reader: string } }>('/', async ({ query: { reader } }, reply) =>
    sendEvents(reply, async function* () {
      for (let event = 1; event <= events; event += 1) {
        made.set(reader, event)
        yield { data: 'x'.repeat(size) }
      }
    }),
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const [slow, other] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  slow.pause().on('error', () => {})
  slow.write(request.replace('/', '/?reader=slow'))
  other.write(request.replace('/', '/?reader=other'))
  expect(dataOf(await text(other))).toHaveLength(events)
  // So much is in the sockets of both sides, and little in this process.
  expect(made.get('slow')).toBeLessThan(events)
  expect(dataOf(await text(slow.resume()))).toHaveLength(events)
  await app.close()
})

test('a reader who left before the first event is not waited for', async () => {
  const app = Fastify()
  const arrived = Promise.withResolvers<void>()
  const isAborted = Promise.withResolvers<boolean>()
  app.get('/', async (_request, reply) => {
    const left = once(reply.raw, 'close')
    arrived.resolve()
    await left
    await sendEvents(reply, async function* (signal) {
      yield* []
      isAborted.resolve(signal.aborted)
    })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const reader = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  reader.write(request)
  await arrived.promise
  reader.destroy()
  expect(await isAborted.promise).toBe(true)
  await app.close()
})
