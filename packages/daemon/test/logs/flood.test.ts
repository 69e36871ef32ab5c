import { rm } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { stampedLines } from '../../src/engine/docker/container-log.ts'
import { readInstanceLog } from '../../src/engine/process/instance-log.ts'
import { containerFlood, frame, instanceFolder, memoryOfFlood } from './flood.ts'

setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction

const megabyte = 1024 ** 2
const flood = 64 * megabyte
/** The memory of two batches, of the piece that is read, and of the test itself. */
const flat = 32 * megabyte
const signal = new AbortController().signal

describe('memory stays flat while a demo prints 64 MB', () => {
  test.each([
    ['lines', `${'x'.repeat(1000)}\n`],
    ['a progress bar', `${'x'.repeat(100)}\r`],
    ['one line that never ends', 'x'.repeat(16 * 1024)],
  ])('in a container: %s', async (_what, line) => {
    expect(await memoryOfFlood(containerFlood(flood, line))).toBeLessThan(flat)
  })

  test.each([
    ['lines', 'x'.repeat(1000)],
    ['long lines', 'x'.repeat(64 * 1024)],
    ['a file without a line end', `${'x'.repeat(1000)}\r`.repeat(1000)],
  ])('in the process engine: %s', async (_what, line) => {
    const folder = await instanceFolder(flood, line)
    const used = await memoryOfFlood(async function* (read) {
      for await (const one of readInstanceLog(folder, undefined, 64 * 1024, async () => true, signal)) {
        read(Number(one.cursor))
        yield one
      }
    })
    await rm(folder, { recursive: true, force: true })
    expect(used).toBeLessThan(flat)
  })

  test('nothing is read ahead of what is written', async () => {
    let sent = 0
    const endless = async function* () {
      for (;;) {
        sent += 1
        yield frame(`${sent}\n`)
      }
    }
    const lines = stampedLines(endless(), undefined)[Symbol.asyncIterator]()
    for (let read = 1; read <= 100; read += 1) {
      expect((await lines.next()).value.text).toBe(String(read))
      expect(sent).toBe(read)
    }
    await lines.return?.()
  })
})

describe("Docker's log stream", () => {
  const lines = async (stream: Iterable<Buffer>, after?: string) => {
    const found: { text: string; cursor: string }[] = []
    for await (const { text, cursor } of stampedLines(pieces(stream), after)) found.push({ text, cursor })
    return found
  }
  async function* pieces(stream: Iterable<Buffer>) {
    yield* stream
  }
  const at = (second: number) => `2026-11-24T12:00:0${second}.000000000Z`

  test('a line with carriage returns is one line, with its time; the lines about it are not lost', async () => {
    const stream = [frame('before\n', at(1)), frame('0%\r50%\r100%\n', at(2)), frame('after\n', at(3))]
    expect(await lines(stream)).toEqual([
      { text: 'before', cursor: at(1) },
      { text: '100%', cursor: at(2) },
      { text: 'after', cursor: at(3) },
    ])
  })

  test('a long line comes in several frames; both streams are kept apart', async () => {
    const stream = [frame('aaa', at(1)), frame('error\n', at(2), 2), frame('bbb\n', at(3)), frame('no end', at(4))]
    expect((await lines(stream)).map(({ text }) => text)).toEqual(['error', 'aaabbb', 'no end'])
    expect((await lines(stream, at(2))).map(({ text }) => text)).toEqual(['bbb', 'no end'])
  })

  test('where the bytes happen to be torn makes no difference', async () => {
    const bytes = Buffer.concat([frame('één\n', at(1)), frame('\n', at(2)), frame('three\n', at(3))])
    for (const size of [1, 2, 3, 5, 8, 13, 40, 41]) {
      const torn = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      )
      expect((await lines(torn)).map(({ text }) => text)).toEqual(['één', '', 'three'])
    }
  })
})
