import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
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
