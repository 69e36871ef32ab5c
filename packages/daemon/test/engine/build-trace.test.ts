import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BuildTrace } from '../../src/engine/docker/build-trace.ts'

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}
/** One length-delimited field of protobuf. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}
const vertex = (digest: string, name: string, more: Record<number, string> = {}) =>
  field(
    1,
    Buffer.concat([field(1, digest), field(3, name), ...Object.entries(more).map(([n, v]) => field(Number(n), v))]),
  )
const log = (digest: string, text: string) => field(3, Buffer.concat([field(1, digest), field(4, text)]))
const [started, completed, error] = [5, 6, 7]
const texts = (trace: BuildTrace, ...messages: Buffer[]) => trace.read(Buffer.concat(messages)).map(({ text }) => text)

describe('how a build goes', () => {
  test('is told by each step once as it starts, and by what it prints, line by line', () => {
    const trace = new BuildTrace()
    expect(texts(trace, vertex('a', 'RUN pip'))).toEqual([])
    expect(texts(trace, vertex('a', 'RUN pip', { [started]: 'now' }), log('a', 'one\ntw'))).toEqual(['RUN pip', 'one'])
    expect(texts(trace, vertex('a', 'RUN pip', { [started]: 'now' }), log('a', 'o\n\nthree'))).toEqual(['two'])
    expect(texts(trace, vertex('a', 'RUN pip', { [started]: 'now', [completed]: 'then' }))).toEqual(['three'])
  })

  test('keeps steps that run side by side apart, and leaves out what is of BuildKit alone', () => {
    const trace = new BuildTrace()
    expect(texts(trace, vertex('i', '[internal] load', { [started]: 'now' }))).toEqual([])
    expect(texts(trace, log('a', 'a1'), log('b', 'b1'), log('a', 'a2\n'), log('b', 'b2\n'))).toEqual(['a1a2', 'b1b2'])
  })

  test('says why a step failed, once, after all that it printed', () => {
    const trace = new BuildTrace()
    const failed = vertex('a', 'RUN x', { [started]: 'now', [completed]: 'then', [error]: 'exit code: 1' })
    expect(trace.read(Buffer.concat([failed, log('a', 'last words')]))).toEqual([
      { text: 'RUN x', error: false },
      { text: 'last words', error: false },
      { text: 'exit code: 1', error: true },
    ])
    expect(trace.read(failed)).toEqual([])
    const long = vertex('b', 'RUN y', { [error]: 'x'.repeat(100_000) })
    expect(texts(trace, long)[0]).toHaveLength(64 * 1024)
  })

  test('is read past fields of other kinds', () => {
    const others = Buffer.from([8, 200, 1, 17, 1, 2, 3, 4, 5, 6, 7, 8, 21, 1, 2, 3, 4])
    expect(texts(new BuildTrace(), others, vertex('a', 'RUN x', { [started]: '' }))).toEqual(['RUN x'])
  })

  test('that is cut off, or is no protobuf at all, is read as far as it goes', () => {
    const whole = Buffer.concat([vertex('a', 'RUN x', { [started]: 'now' }), log('a', 'one\n')])
    for (let end = 0; end <= whole.length; end += 1)
      expect(new BuildTrace().read(whole.subarray(0, end)).length).toBeLessThanOrEqual(2)
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.constantFrom(10, 26, 127, 128, 255, 0), { maxLength: 400 }),
    )
    fc.assert(
      fc.property(hostile, (bytes) => {
        const lines = new BuildTrace().read(Uint8Array.from(bytes))
        expect(lines.length).toBeLessThanOrEqual(bytes.length)
      }),
    )
    expect(new BuildTrace().read(new Uint8Array(1000).fill(255))).toEqual([])
  })
})
