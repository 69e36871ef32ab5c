import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DemoId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DemoLogs } from '../../src/logs/demo-log.ts'

const whole = new AbortController().signal
const demo = '0123456789abcdef0123456789abcdef' as DemoId
const other = 'ffffffffffffffffffffffffffffffff' as DemoId
const line = (text: string) => ({ at: new Date(0), source: 'demo' as const, text })

let folder: string
let logs: DemoLogs
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-logs-'))
  logs = await DemoLogs.open(folder, { logBytes: 10_000 })
  path = join(folder, `${demo}.log`)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const textFrom = async (offset: number, from = logs) => {
  const chunks: Uint8Array[] = []
  for await (const bytes of from.read(demo, offset, false, whole)) chunks.push(bytes)
  return Buffer.concat(chunks).toString('utf8')
}
/** Writes numbered lines until the log was halved `times` times. Tells where each line begins. */
const halved = async (times: number): Promise<Map<string, number>> => {
  const offsets = new Map<string, number>()
  for (let [seen, number] = [0, 0]; seen < times; number += 1) {
    const [text, before] = [`line ${number}`, await stat(path).catch(() => undefined)]
    offsets.set(text, await logs.end(demo))
    await logs.append(demo, [line(text)])
    if (before && (await stat(path)).ino !== before.ino) seen += 1
  }
  return offsets
}

describe("a demo's log", () => {
  test('an offset means the same line before and after older ones went, however often', async () => {
    const offsets = await halved(3)
    const left = (await textFrom(0)).split('\n').slice(1, -1)
    expect(left.length).toBeGreaterThan(50)
    for (const stored of left) {
      const text = stored.slice('1970-01-01T00:00:00.000Z demo '.length)
      expect((await textFrom(offsets.get(text) ?? -1)).split('\n')[0]).toBe(stored)
    }
    expect(await logs.end(demo)).toBe((offsets.get(left.at(-1)?.slice(30) ?? '') ?? 0) + (left.at(-1)?.length ?? 0) + 1)
  })

  test('a daemon that dies while a log is halved leaves it as it was, or halved, and never a false offset', async () => {
    const offsets = await halved(1)
    const before = await readFile(path)
    const end = await logs.end(demo)
    for (const half of [0, 100, 4000]) {
      // The daemon died while it wrote the newer half beside the log.
      await writeFile(path, before)
      await writeFile(`${path}.fresh`, before.subarray(before.length - half))
      const next = await DemoLogs.open(folder, { logBytes: 10_000 })
      expect(await next.end(demo)).toBe(end)
      expect(await textFrom(0, next)).toBe(before.toString('utf8'))
      for (let more = 0; more < 200; more += 1) await next.append(demo, [line(`more ${more}`)])
      expect(await textFrom(end, next).then((text) => text.slice(0, 30))).not.toContain('�')
    }
    expect(offsets.size).toBeGreaterThan(100)
  })

  test('a log of before, whose offset stands in a file beside it, goes on; dead between the two steps, it does too', async () => {
    await writeFile(path, '1970-01-01T00:00:00.000Z deploy (older lines were dropped here)\nold\n')
    await writeFile(`${path}.base`, '5000')
    const size = (await stat(path)).size
    expect(await logs.end(demo)).toBe(5000 + size)
    await copyFile(`${path}.base`, join(folder, 'kept'))
    for (let number = 0; (await readFile(path, 'utf8')).includes('old\n'); number += 1)
      await logs.append(demo, [line(`${number}`)])
    const end = await logs.end(demo)
    expect(end).toBeGreaterThan(5000 + 10_000)
    // The daemon died after the log was replaced and before the old file was removed.
    await copyFile(join(folder, 'kept'), `${path}.base`)
    expect(await (await DemoLogs.open(folder, { logBytes: 10_000 })).end(demo)).toBe(end)
  })

  test('a log that cannot be opened is an error, and is not taken for one without lines', async () => {
    expect([await logs.end(demo), await textFrom(0)]).toEqual([0, ''])
    await symlink(path, path)
    const readings = [logs.end(demo), logs.tail(demo, 1), textFrom(0)]
    await Promise.all(readings.map((reading) => expect(reading).rejects.toThrow('ELOOP')))
  })

  test('an offset that stands in a file beside the log and cannot be read is an error, and not 0', async () => {
    await writeFile(path, 'old\n')
    await mkdir(`${path}.base`)
    const readings = [logs.end(demo), logs.tail(demo, 1), textFrom(0)]
    await Promise.all(readings.map((reading) => expect(reading).rejects.toThrow('EISDIR')))
    await rename(`${path}.base`, join(folder, 'away'))
    expect([await logs.end(demo), await textFrom(0)]).toEqual([4, 'old\n'])
  })

  test('a text that breaks lines forges none', async () => {
    const forged = `1970-01-01T00:00:00.000Z deploy It serves`
    const texts = ['\n', '\r', '\r\n', '\v', '\f', '\u0085', '\u2028', '\u2029'].map((end) => `a${end}${forged}`)
    await logs.append(demo, texts.map(line))
    const lines = (await textFrom(0)).trimEnd().split(/[\n\v\f\r\u0085\u2028\u2029]/)
    expect(lines).toEqual(texts.map(() => `1970-01-01T00:00:00.000Z demo a ${forged}`))
  })

  test('a hostile line takes no time: tokens are looked for once in it', async () => {
    await logs.append(
      demo,
      Array.from({ length: 40 }, () => line('a.'.repeat(32 * 1024))),
    )
    expect(await logs.end(demo)).toBeGreaterThan(40 * 64 * 1024)
  })

  test('a long log is read a piece at a time', async () => {
    const roomy = await DemoLogs.open(folder, { logBytes: 10 ** 9 })
    await roomy.append(
      demo,
      Array.from({ length: 500 }, () => line('x'.repeat(2000))),
    )
    const sizes: number[] = []
    for await (const bytes of roomy.read(demo, 0, false, whole)) sizes.push(bytes.length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(await roomy.end(demo))
  })

  test('who follows is given what comes, and nothing of another demo', async () => {
    const gone = new AbortController()
    const following = logs.read(demo, 0, true, gone.signal)[Symbol.asyncIterator]()
    const first = following.next()
    await logs.append(other, [line('not theirs')])
    await logs.append(demo, [line('theirs')])
    expect(Buffer.from((await first).value).toString('utf8')).toContain('theirs')
    const second = following.next()
    await logs.append(demo, [line('more')])
    expect(Buffer.from((await second).value).toString('utf8')).toMatch(/^\S+ demo more\n$/)
    const third = following.next()
    gone.abort()
    expect((await third).done).toBe(true)
  })

  test('lines are in the order of the calls; one that cannot be written is told, and the next one is', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, number) => logs.append(demo, [line(`${number}`)])))
    expect((await textFrom(0)).match(/demo \d+/g)).toEqual(Array.from({ length: 50 }, (_, number) => `demo ${number}`))
    const broken = logs.append(demo, [{ ...line('x'), at: new Date(Number.NaN) }])
    const next = logs.append(demo, [line('after')])
    await expect(broken).rejects.toThrow('Invalid time value')
    await next
    expect(await textFrom(0)).toContain('after')
  })
})
