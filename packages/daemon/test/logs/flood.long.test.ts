import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { containerFlood, instanceFlood, memoryOfFlood } from './flood.ts'

setFlagsFromString('--expose-gc')
globalThis.gc = runInNewContext('gc') as NodeJS.GCFunction

const gigabyte = 1024 ** 3
/** How many gigabytes an instance of the process engine prints. */
const instanceGigabytes = Number(process.env.ORIGAMI_TEST_FLOOD_GB ?? 10)
const flat = 32 * 1024 ** 2
/** Bytes between two measurements of the memory. Each one stops the process for some milliseconds. */
const every = 32 * 1024 ** 2

test("memory stays flat while a container prints 1 GB: Docker's stream, into a log", async () => {
  expect(await memoryOfFlood(containerFlood(gigabyte, `${'x'.repeat(1000)}\n`), every)).toBeLessThan(flat)
}, 900_000)

test(`memory stays flat while an instance of the process engine prints ${instanceGigabytes} GB`, async () => {
  const flood = instanceFlood(instanceGigabytes * gigabyte, 'x'.repeat(1000))
  expect(await memoryOfFlood(flood, every)).toBeLessThan(flat)
}, 1_800_000)
