import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeFrame, FrameReader, readFrames } from '../../src/runtime/wire/frames.ts'

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

async function all(frames: AsyncIterable<unknown>): Promise<unknown[]> {
  const messages: unknown[] = []
  for await (const message of frames) messages.push(message)
  return messages
}

describe('frames', () => {
  test('come out as they went in, wherever the stream is cut', async () => {
    const messages = fc.array(fc.jsonValue({ noUnicodeString: false }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(messages, fc.array(fc.nat(9)), async (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(encodeFrame))
        expect(await all(readFrames(inPieces(bytes, sizes)))).toEqual(
          sent.map((one) => JSON.parse(JSON.stringify(one))),
        )
      }),
    )
  })

  test('of which one is not whole when the stream ends leave that one out', async () => {
    const whole = encodeFrame({ id: 1 })
    for (let end = 0; end < whole.length; end += 1)
      expect(await all(readFrames(inPieces(Buffer.concat([whole, whole.subarray(0, end)]), [3])))).toEqual([{ id: 1 }])
  })

  test('are known to be within one that has not come whole', () => {
    const [reader, frame] = [new FrameReader(), encodeFrame({ id: 1 })]
    for (let at = 0; at < frame.length; at += 1) {
      expect(reader.isWithin).toBe(at > 0)
      for (const message of reader.read(frame.subarray(at, at + 1))) expect(message).toEqual({ id: 1 })
    }
    expect(reader.isWithin).toBe(false)
  })

  test('that are no JSON, or say that they are longer than any, end the reading', async () => {
    const head = (length: number) => Buffer.from([length >>> 24, length >>> 16, length >>> 8, length])
    const read = (bytes: Buffer) => all(readFrames(inPieces(bytes, [1, 1, 1])))
    await expect(read(Buffer.concat([head(1), Buffer.from('{')]))).rejects.toThrow(SyntaxError)
    await expect(read(head(0))).rejects.toThrow(SyntaxError)
    await expect(read(head(64 * 1024 ** 2 + 1))).rejects.toThrow(
      'a message of 67108865 bytes; at most 67108864 are taken',
    )
    await expect(read(head(0xffff_ffff))).rejects.toThrow(RangeError)
  })

  test('that would be longer than any are not made', () => {
    expect(encodeFrame('x'.repeat(64 * 1024 ** 2 - 2)).length).toBe(64 * 1024 ** 2 + 4)
    expect(() => encodeFrame('x'.repeat(64 * 1024 ** 2 - 1))).toThrow(
      'a message of 67108865 bytes; at most 67108864 are taken',
    )
  })

  test('of any bytes are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(5)), async (bytes, sizes) => {
        try {
          await all(readFrames(inPieces(bytes, sizes)))
        } catch (error) {
          expect([SyntaxError, RangeError]).toContain((error as Error).constructor)
        }
      }),
    )
  })
})
