import { once } from 'node:events'
import { expect, test } from 'vitest'
import { BuildWatch, OutOfRoom } from '../../src/disk/build-watch.ts'

const never = new AbortController().signal
const ends = (signal: AbortSignal) => once(signal, 'abort').then(() => Promise.reject(signal.reason))

test('of two builds the one that began last is stopped, and the other goes on once there is room', async () => {
  let lack: string | undefined
  const watch = new BuildWatch({ lackFor: async () => lack }, { freeSpaceMs: 1 })
  const first = Promise.withResolvers<string>()
  let stopped = 0
  const one = watch.during(never, (signal) => {
    signal.addEventListener('abort', () => (stopped += 1))
    return first.promise
  })
  const other = watch.during(never, async (signal) => {
    lack = 'the disk has 1 MB free'
    await once(signal, 'abort')
    lack = undefined
    throw signal.reason
  })
  await expect(other).rejects.toThrow(OutOfRoom)
  await expect(other).rejects.toThrow('for want of room: the disk has 1 MB free')
  first.resolve('built')
  expect(await one).toBe('built')
  expect(stopped).toBe(0)
})

test('a build that is stopped for another reason ends with that one', async () => {
  const watch = new BuildWatch({ lackFor: async () => undefined }, { freeSpaceMs: 1 })
  const canceled = new AbortController()
  const build = watch.during(canceled.signal, ends)
  canceled.abort('canceled')
  await expect(build).rejects.toBe('canceled')
})

test('a build that fails by itself fails with its own error', async () => {
  const watch = new BuildWatch({ lackFor: async () => undefined }, { freeSpaceMs: 1 })
  await expect(watch.during(never, () => Promise.reject(new Error('exit 3')))).rejects.toThrow('exit 3')
})

test('it watches again for the build after the last', async () => {
  let lack: string | undefined
  const watch = new BuildWatch({ lackFor: async () => lack }, { freeSpaceMs: 1 })
  expect(await watch.during(never, async () => 'first')).toBe('first')
  lack = 'none'
  await expect(watch.during(never, ends)).rejects.toThrow(OutOfRoom)
})
