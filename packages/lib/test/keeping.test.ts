import { readdir } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FileRef, Full, fileRef } from '@origami/protocol/demo'
import { describe, expect, test } from 'vitest'
import { withoutReplaced } from '../src/runtime/pool/event-log.ts'
import { compactable, replacing } from './events.ts'
import { endOf, eventually, type Pool, started, startPool } from './pool.ts'

async function upload({ predictor }: Pool, bytes = 10): Promise<FileRef> {
  return predictor.files.put(crypto.randomUUID().replaceAll('-', ''), 'paper.txt', 'text/plain', once(bytes))
}

async function* once(bytes: number): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(bytes, 'x')
}

const folders = async ({ folder }: Pool) => (await readdir(folder)).length

describe('a runtime forgets', () => {
  test('inputs and outputs with their predictions: 20 of them leave no folder', async () => {
    await using pool = await startPool({ keep: { keepMs: 20 } })
    for (let count = 0; count < 20; count += 1) {
      const end = await endOf(await pool.submit('file', await upload(pool)))
      expect(end.status).toBe('succeeded')
    }
    await eventually(async () => expect(await folders(pool)).toBe(0))
  })

  test('the oldest, above a number of predictions', async () => {
    await using pool = await startPool({ keep: { maxKept: 3 } })
    const ends = []
    for (let count = 0; count < 5; count += 1) ends.push(await endOf(await pool.submit('file', await upload(pool))))
    await eventually(async () => expect(await folders(pool)).toBe(6))
    const found = await Promise.all(ends.map(({ id }) => pool.predictor.find(id as never)))
    expect(found.map(Boolean)).toEqual([false, false, true, true, true])
    const { copy } = (ends[4]?.output ?? {}) as { copy: FileRef }
    expect((await pool.predictor.files.open(copy))?.size).toBe(1000)
  })

  test('the oldest, above a number of bytes, but never the newest, whose caller is about to fetch it', async () => {
    await using pool = await startPool({ keep: { maxBytes: 4000 } })
    for (let count = 0; count < 6; count += 1) await endOf(await pool.submit('file'))
    await eventually(async () => expect(await folders(pool)).toBeLessThan(4))
    await using tiny = await startPool({ keep: { maxBytes: 10 } })
    const end = await endOf(await tiny.submit('short'))
    expect(await tiny.predictor.find(end.id as never)).toBeDefined()
  })

  test('nothing of a prediction that is open, and a file that two share only with the last of them', async () => {
    await using pool = await startPool({ keep: { keepMs: 0 } })
    const { files } = pool.predictor
    const shared = await upload(pool)
    const open = await pool.submit('wait', shared)
    await started(open)
    const other = await pool.submit('x', shared)
    await other.cancel()
    await eventually(async () => expect(await pool.predictor.find(other.id)).toBeUndefined())
    expect(await files.open(shared)).toBeDefined()
    await open.cancel()
    await endOf(open)
    await eventually(async () => expect(await files.open(shared)).toBeUndefined())
  })

  test('a file that was uploaded and never used, after its time', async () => {
    await using pool = await startPool({ keep: { unusedFileMs: 30 } })
    const ref = await upload(pool)
    await eventually(async () => expect(await folders(pool)).toBe(0))
    expect(await pool.predictor.files.open(ref)).toBeUndefined()
  })

  test('what an earlier process left in its folder', async () => {
    await using pool = await startPool({ keep: { unusedFileMs: 30 } })
    const { FolderFiles } = await import('@origami/serving')
    const earlier = new FolderFiles(pool.folder, { maxFileBytes: () => 1000 })
    const ref = await earlier.put('0123456789abcdef', 'old.txt', 'text/plain', once(10))
    await pool.predictor.files.countFolder(pool.folder)
    expect(pool.predictor.files.bytes).toBe(10)
    await eventually(async () => expect(await earlier.open(ref)).toBeUndefined())
  })
})

test('what ended is not held by the worker that made it', async () => {
  await using pool = await startPool({ keep: { keepMs: 0 } })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await endOf(await pool.submit('large'))
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 200; count += 1) expect((await endOf(await pool.submit('large'))).status).toBe('succeeded')
  await eventually(() => {
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 ** 2)
  })
})

test('a file that would fill the room there is is refused while it arrives, and leaves nothing', async () => {
  await using pool = await startPool({ keep: { maxBytes: 100 } })
  await upload(pool, 200)
  await expect(upload(pool, 150)).rejects.toThrow(Full)
  expect([pool.predictor.files.bytes, await folders(pool)]).toEqual([200, 1])
  const again = pool.predictor.files.put('0123456789abcdef', 'a.txt', undefined, once(50))
  expect(await again).toBe(fileRef('0123456789abcdef', 'a.txt'))
})

test('of a long run what newer events replaced is left out, and numbers stay', () => {
  expect(withoutReplaced(compactable)).toEqual(replacing)
})
