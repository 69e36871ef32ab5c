import { rm } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { readInstanceLog } from '../../src/engine/process/instance-log.ts'
import { containerFlood, instanceFolder, memoryOfFlood } from './flood.ts'

setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction

const gigabyte = 1024 ** 3
/** 10 of them take more than a quarter of an hour on two cores. */
const flood = gigabyte
const signal = new AbortController().signal

test("memory stays flat while a container prints 1 GB: Docker's stream, into a log", async () => {
  expect(await memoryOfFlood(containerFlood(flood, `${'x'.repeat(1000)}\n`))).toBeLessThan(32 * 1024 ** 2)
}, 900_000)

test('memory stays flat while an instance of the process engine prints 1 GB', async () => {
  const folder = await instanceFolder(flood, 'x'.repeat(1000))
  const used = await memoryOfFlood(async function* (read) {
    for await (const one of readInstanceLog(folder, undefined, 64 * 1024, async () => true, signal)) {
      read(Number(one.cursor))
      yield one
    }
  })
  await rm(folder, { recursive: true, force: true })
  expect(used).toBeLessThan(32 * 1024 ** 2)
}, 900_000)
