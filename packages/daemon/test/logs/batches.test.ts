import { describe, expect, test } from 'vitest'
import { batches } from '../../src/logs/batches.ts'
import type { LogLine } from '../../src/logs/log-line.ts'

const line = (text: string): LogLine => ({ at: new Date(0), source: 'demo', text })

async function sizes(lines: AsyncIterable<LogLine>): Promise<number[]> {
  const found: number[] = []
  for await (const batch of batches(lines)) found.push(batch.length)
  return found
}

async function* said(texts: Iterable<string>): AsyncGenerator<LogLine> {
  for (const text of texts) yield line(text)
}

describe('lines in batches', () => {
  test('that come at once are one batch, in their order', async () => {
    const found: string[][] = []
    for await (const batch of batches(said(['a', 'b', 'c']))) found.push(batch.map(({ text }) => text))
    expect(found).toEqual([['a', 'b', 'c']])
  })

  test('are at most 4000 in one', async () => {
    expect(await sizes(said(Array.from({ length: 9000 }, () => 'x')))).toEqual([4000, 4000, 1000])
  })

  test('are a mebibyte in one, and the line that reaches it', async () => {
    expect(await sizes(said(Array.from({ length: 5 }, () => 'x'.repeat(400_000))))).toEqual([3, 2])
  })

  test('do not wait for a line that is not there yet', async () => {
    const next = Promise.withResolvers<void>()
    async function* slow() {
      yield line('a')
      await next.promise
      yield line('b')
    }
    const found = batches(slow())[Symbol.asyncIterator]()
    expect(await found.next()).toMatchObject({ value: [{ text: 'a' }] })
    next.resolve()
    expect(await found.next()).toMatchObject({ value: [{ text: 'b' }] })
    expect((await found.next()).done).toBe(true)
  })

  test('are read one ahead, and no further, while a batch is being written', async () => {
    let read = 0
    async function* endless() {
      for (;;) {
        read += 1
        yield line('x'.repeat(1024 ** 2))
      }
    }
    const found = batches(endless())[Symbol.asyncIterator]()
    await found.next()
    for (let turns = 0; turns < 100; turns += 1) await Promise.resolve()
    expect(read).toBe(2)
    await found.return?.()
  })

  test('that came before a failure are a batch, and the failure follows it', async () => {
    async function* broken() {
      yield line('a')
      yield line('b')
      throw new Error('the stream broke off')
    }
    const found = batches(broken())[Symbol.asyncIterator]()
    expect(await found.next()).toMatchObject({ value: [{ text: 'a' }, { text: 'b' }] })
    await expect(found.next()).rejects.toThrow('the stream broke off')
  })

  test('let go of what they are read from when nobody wants more', async () => {
    let closed = false
    async function* lines() {
      try {
        for (;;) yield line('x'.repeat(1024 ** 2))
      } finally {
        closed = true
      }
    }
    for await (const _batch of batches(lines())) break
    expect(closed).toBe(true)
  })
})
