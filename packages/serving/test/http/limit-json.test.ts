import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { sendError } from '../../src/http/errors.ts'
import { isDeeper, type JsonLimits, limitJson } from '../../src/http/limit-json.ts'

describe('a JSON body', () => {
  let app: FastifyInstance | undefined
  afterEach(async () => app?.close())

  test('of which nothing more comes is answered with 408 and words', async () => {
    const socket = await begin(await serve({ idleMs: () => 200 }))
    expect(await text(socket)).toMatch(/^HTTP\/1.1 408 [\s\S]*expected more of the body within 0.2 s/)
  })

  test('that drips is answered with 408 once it took too long in all', async () => {
    const socket = await begin(await serve({ totalMs: () => 300 }))
    const dripping = setInterval(() => socket.write(' '), 20)
    socket.once('close', () => clearInterval(dripping)).on('error', () => clearInterval(dripping))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 408 [\s\S]*expected all of the body within 0.3 s/)
    socket.destroy()
  })

  test('for which there is no room now is answered with 503 and when to come again; afterwards there is', async () => {
    const port = await serve({ heldBytes: () => 1000, bytes: () => 1000 })
    const other = await begin(port, '9'.repeat(800))
    const body = JSON.stringify({ word: 'x'.repeat(500) })
    const send = () =>
      fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    await vi.waitFor(async () => {
      const refused = await send()
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    })
    other.destroy()
    await vi.waitFor(async () => expect((await send()).status).toBe(200))
  })

  async function serve(limits: Partial<JsonLimits>): Promise<number> {
    app = Fastify({ forceCloseConnections: true }) as unknown as FastifyInstance
    limitJson(app, { bytes: () => 10_000, ...limits })
    app.setErrorHandler(sendError)
    app.post('/', async () => 'taken')
    await app.listen({ host: '127.0.0.1', port: 0 })
    return (app.server.address() as AddressInfo).port
  }

  /** A request whose body never ends. */
  async function begin(port: number, first = ' '): Promise<Socket> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n${first}`)
    return socket
  }
})

test('the depth of any JSON is found, whatever its strings hold', () => {
  const depthOf = (value: unknown): number =>
    typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))
  const long = fc.string({ unit: fc.constantFrom('"', '\\', '[', '}', 'é', 'x'), maxLength: 200 })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.array(long), fc.dictionary(long, fc.array(long))), (value) => {
      const [json, depth] = [Buffer.from(JSON.stringify(value)), depthOf(JSON.parse(JSON.stringify(value)))]
      expect(isDeeper(json, depth)).toBe(false)
      if (depth > 0) expect(isDeeper(json, depth - 1)).toBe(true)
    }),
  )
})
