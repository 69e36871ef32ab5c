import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { inPieces } from '../../src/files/in-pieces.ts'

const read = async (stream: Readable) => {
  const parts: Uint8Array[] = []
  for await (const part of inPieces(stream)) parts.push(part)
  return Buffer.concat(parts)
}

describe('a stream in pieces', () => {
  test('comes whole and in order', async () => {
    const parts = Array.from({ length: 100 }, (_, at) => Buffer.alloc(16 * 1024, at))
    const whole = await read(Readable.from(parts, { objectMode: false }))
    expect(whole.equals(Buffer.concat(parts))).toBe(true)
    expect(await read(Readable.from([]))).toHaveLength(0)
  })

  test('is one piece for what came in one turn of the event loop; one that came alone is not copied', async () => {
    const source = new PassThrough()
    const pieces = inPieces(source)[Symbol.asyncIterator]()
    const first = pieces.next()
    for (const text of ['a', 'b', 'c']) source.write(text)
    expect(String((await first).value)).toBe('abc')
    const alone = Buffer.alloc(16 * 1024, 'd')
    source.end(alone)
    expect((await pieces.next()).value).toBe(alone)
    expect((await pieces.next()).done).toBe(true)
  })

  test('is read no further ahead than 256 KiB while the consumer is busy', async () => {
    let given = 0
    const source = new Readable({
      highWaterMark: 1,
      read() {
        given += 1024
        this.push(Buffer.alloc(1024))
      },
    })
    const pieces = inPieces(source)[Symbol.asyncIterator]()
    const first: Uint8Array = (await pieces.next()).value
    await once(source, 'pause')
    const before = given
    await new Promise(setImmediate)
    expect(given).toBe(before)
    expect(given - first.length).toBeLessThanOrEqual(258 * 1024)
    source.destroy()
  })

  test('that breaks gives what came before, and then its error; one that is cut off is an error as well', async () => {
    const [broken, cut] = [new PassThrough(), new PassThrough()]
    broken.write('x')
    const pieces = inPieces(broken)[Symbol.asyncIterator]()
    expect(String((await pieces.next()).value)).toBe('x')
    const error = new Error('the disk broke')
    broken.destroy(error)
    await expect(pieces.next()).rejects.toBe(error)
    const reading = read(cut)
    cut.destroy()
    await expect(reading).rejects.toThrow('Premature close')
  })

  test('that is silent for too long is the error of who waits; the stream stays open for an answer', async () => {
    const source = new PassThrough()
    const pieces = inPieces(source, { idleMs: 1, error: () => new Error('too slow') })
    await expect(pieces[Symbol.asyncIterator]().next()).rejects.toThrow('too slow')
    expect([source.destroyed, source.isPaused()]).toEqual([false, true])
  })
})
