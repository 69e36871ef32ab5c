import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { refuseEarly, unroutable } from '../../src/index.ts'

const app = Fastify({ ...unroutable })
let port: number

beforeAll(async () => {
  refuseEarly(app)
  app.get('/names/:name', async (request) => request.params)
  app.delete('/names/:name', async (request) => request.params)
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
})
afterAll(() => app.close())

/** What is answered to bytes that may be no request at all. */
async function answer(bytes: string): Promise<{ status: number; body: unknown }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(bytes)
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) }
}

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`

test.each([
  ['percent signs that begin no byte', get('/names/%zz'), 400, 'got /names/%zz'],
  ['bytes that are no UTF-8', get('/names/%ED%A0%80'), 400, 'of UTF-8; got /names/%ED%A0%80'],
  ['a name of 501 characters', get(`/names/${'a'.repeat(501)}`), 414, 'at most 500 characters between two slashes'],
  [
    'too large a header',
    get('/names/a', `x-large: ${'a'.repeat(20_000)}\r\n`),
    431,
    'at most 16 KiB of path and headers',
  ],
  ['a method that nobody knows', 'FOO / HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'expected a request of HTTP/1.1'],
  ['a name that is empty', `DELETE /names/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, 404, 'a name is missing'],
  ['a request that names no host', 'GET /names/a HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'expected a Host header'],
  ['an expectation of its own', get('/names/a', 'expect: more\r\n'), 417, 'expected "expect: 100-continue" or none'],
  ['what is no HTTP', 'hello\r\n\r\n', 400, 'expected a request of HTTP/1.1'],
])('%s is refused in words', async (_what, bytes, status, message) => {
  expect(await answer(bytes)).toEqual({ status, body: { error: expect.stringContaining(message) } })
})

test('a path that is refused is told in short', async () => {
  const { body } = await answer(get(`/names/${'a'.repeat(10_000)}%zz`))
  expect(JSON.stringify(body).length).toBeLessThan(700)
})

test('a name of 500 characters comes through, however it was encoded', async () => {
  expect(await answer(get(`/names/${'%E2%82%AC'.repeat(500)}`))).toEqual({
    status: 200,
    body: { name: '€'.repeat(500) },
  })
})
