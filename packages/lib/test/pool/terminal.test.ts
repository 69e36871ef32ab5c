import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { Terminal } from '../../src/runtime/pool/terminal.ts'
import { encodeFrame, readFrames } from '../../src/runtime/wire/frames.ts'

function terminal() {
  const stream = new PassThrough()
  const printed: string[] = []
  return { stream, text: () => printed.join(''), terminal: new Terminal(stream, (text) => printed.push(text)) }
}

test('marks are taken out, also where they come in pieces', async () => {
  const { stream, text, terminal: shown } = terminal()
  for (const piece of ['before\u001e', 'abc', '\nafter', '\n']) stream.write(piece)
  await shown.until('abc')
  stream.end()
  await shown.ended
  expect(text()).toBe('beforeafter\n')
})

test('what only looks like the beginning of a mark is text', async () => {
  const { stream, text, terminal: shown } = terminal()
  const binary = `\u001e${'x'.repeat(1000)}\n\u001e\u001e${'y'.repeat(200)}`
  stream.write(binary)
  stream.end('\u001eopen')
  await shown.ended
  expect(text()).toBe(`${binary}\u001eopen`)
})

test('messages come whole from pieces of any size', async () => {
  const messages = [{ a: 1 }, 'ä'.repeat(5000), [], { deep: [{ er: null }] }]
  const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)))
  for (const size of [1, 3, 7, 4096, bytes.length]) {
    async function* pieces(): AsyncIterable<Uint8Array> {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const read: unknown[] = []
    for await (const message of readFrames(pieces())) read.push(message)
    expect(read).toEqual(messages)
  }
})

test('a message that is too large is refused on both sides, by its head', async () => {
  expect(() => encodeFrame('x'.repeat(64 * 1024 ** 2))).toThrow('at most 67108864 are taken')
  async function* head(): AsyncIterable<Uint8Array> {
    yield Buffer.from([0xff, 0xff, 0xff, 0xff])
  }
  await expect(readFrames(head()).next()).rejects.toThrow('a message of 4294967295 bytes')
})
