import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { FrameSocket } from '../../src/link/frame-socket.ts'

let server: Server
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

/** Both ends of a connection: one that reads frames, and one that writes what a test wants. */
async function pair({ maxBytes = 1000, silenceMs = 10_000 } = {}) {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [Socket]
  sockets.push(near, far)
  const messages: unknown[] = []
  const closed = vi.fn<(error?: Error) => void>()
  const frames = new FrameSocket(near, {
    maxBytes: () => maxBytes,
    silenceMs: () => silenceMs,
    onMessage: (message) => messages.push(message),
    onClose: closed,
  })
  return { frames, far, messages, closed }
}

const frame = (text: string): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(Buffer.byteLength(text))
  return Buffer.concat([head, Buffer.from(text)])
}

describe('messages over one connection', () => {
  test('are read however their bytes are cut', async () => {
    const { frames, far, messages } = await pair()
    frames.start()
    const sent = [{ a: 'ä'.repeat(100) }, [], 'x', { b: [1, { c: null }] }]
    const bytes = Buffer.concat(sent.map((message) => frame(JSON.stringify(message))))
    for (const byte of bytes) {
      far.write(Buffer.from([byte]))
      await new Promise(setImmediate)
    }
    far.write(Buffer.concat([bytes, bytes]))
    await vi.waitFor(() => expect(messages).toEqual([...sent, ...sent, ...sent]))
  })

  test('that came with the head of the request are read first', async () => {
    const { frames, far, messages } = await pair()
    const [first, second] = [frame('"first"'), frame('"second"')]
    frames.start(Buffer.concat([first, second.subarray(0, 3)]))
    far.write(second.subarray(3))
    await vi.waitFor(() => expect(messages).toEqual(['first', 'second']))
  })

  test('of one turn are one write', async () => {
    const { frames, far } = await pair()
    frames.start()
    const chunks: Buffer[] = []
    far.on('data', (bytes: Buffer) => chunks.push(bytes))
    for (const message of ['a', 'b', 'c']) frames.send(message)
    await vi.waitFor(() => expect(Buffer.concat(chunks)).toEqual(Buffer.concat(['"a"', '"b"', '"c"'].map(frame))))
    expect(chunks).toHaveLength(1)
  })

  test('that are not urgent go with the next that is, and by themselves where none comes', async () => {
    const { frames, far } = await pair()
    frames.start()
    const chunks: Buffer[] = []
    far.on('data', (bytes: Buffer) => chunks.push(bytes))
    frames.send('a', false)
    await new Promise(setImmediate)
    frames.send('b')
    await vi.waitFor(() => expect(chunks).toEqual([Buffer.concat(['"a"', '"b"'].map(frame))]))
    frames.send('c', false)
    await vi.waitFor(() => expect(chunks.slice(1)).toEqual([frame('"c"')]))
  })

  test.each([
    ['is larger than the limit', frame(`"${'x'.repeat(1000)}"`), 'at most 1000 bytes, got 1002'],
    ['is announced as larger, of which nothing is waited for', Buffer.from([0xff, 0xff, 0xff, 0xff]), '4294967295'],
    ['is no JSON', frame('{'), 'JSON'],
    ['is nested too deeply', frame('['.repeat(65) + ']'.repeat(65)), 'at most 64 arrays'],
  ])('one that %s ends the connection', async (_what, bytes, problem) => {
    const { frames, far, closed, messages } = await pair()
    frames.start()
    const ended = once(far, 'close')
    far.resume().write(bytes)
    await ended
    expect(closed).toHaveBeenCalledOnce()
    expect(closed.mock.calls[0]?.[0]?.message).toContain(problem)
    expect(messages).toEqual([])
  })

  test('a side that is silent is left, and one that only shows that it is alive is not', async () => {
    const [silent, lively] = [await pair({ silenceMs: 60 }), await pair({ silenceMs: 60 })]
    silent.frames.start()
    lively.frames.start()
    const alive = setInterval(() => lively.far.write(Buffer.alloc(4)), 10)
    await vi.waitFor(() => expect(silent.closed).toHaveBeenCalledOnce())
    await new Promise<void>((resolve) => {
      let seen = 0
      // It shows that this side is alive, too.
      lively.far.on('data', (bytes: Buffer) => {
        seen += bytes.length
        if (seen >= 12) resolve()
      })
    })
    expect(lively.closed).not.toHaveBeenCalled()
    expect(lively.messages).toEqual([])
    clearInterval(alive)
    server.close()
  })

  test('what waits is sent before the end', async () => {
    const { frames, far, closed } = await pair()
    frames.start()
    const chunks: Buffer[] = []
    far.on('data', (bytes: Buffer) => chunks.push(bytes))
    frames.send('last')
    frames.end()
    frames.send('after')
    await once(far, 'end')
    expect(Buffer.concat(chunks)).toEqual(frame('"last"'))
    expect(closed).toHaveBeenCalledExactlyOnceWith(undefined)
  })
})
