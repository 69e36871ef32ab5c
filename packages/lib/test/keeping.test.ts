import { readdir } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FileRef, Full, fileRef, newPredictionId, type PredictionSnapshot } from '@origami/protocol/demo'
import { HttpPredictor, type Prediction } from '@origami/serving'
import { describe, expect, test } from 'vitest'
import { endOf, eventually, type Pool, started, startPool } from './pool.ts'
import { serve } from './serve-model.ts'

async function upload({ predictor }: Pool, bytes = 10): Promise<FileRef> {
  return predictor.files.put(crypto.randomUUID().replaceAll('-', ''), 'paper.txt', 'text/plain', once(bytes))
}

async function* once(bytes: number): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(bytes, 'x')
}

/** Reads as the daemon does: the events to their end, then each file of the output. */
async function fetchAll({ predictor }: Pool, prediction: Prediction): Promise<number> {
  let end: PredictionSnapshot | undefined
  for await (const event of prediction.events()) if (event.type === 'completed') end = event.data
  const { copy } = (end?.output ?? {}) as { copy?: FileRef }
  const file = copy && (await predictor.files.open(copy))
  let bytes = 0
  for await (const part of file?.bytes() ?? []) bytes += part.length
  return bytes
}

const isStored = async ({ predictor }: Pool, { id }: Prediction) => (await predictor.find(id)) !== undefined

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
    await using pool = await startPool({ keep: { maxEnded: 3, leastAgeMs: 0 } })
    const made: Prediction[] = []
    for (let count = 0; count < 5; count += 1) {
      const prediction = await pool.submit('file', await upload(pool))
      await endOf(prediction)
      made.push(prediction)
    }
    await eventually(async () => expect(await folders(pool)).toBe(6))
    expect(await Promise.all(made.map((one) => isStored(pool, one)))).toEqual([false, false, true, true, true])
    const newest = made[4]
    expect(newest && (await fetchAll(pool, newest))).toBe(1000)
  })

  test('the oldest, above a number of bytes, but never the newest, whose caller is about to fetch it', async () => {
    await using pool = await startPool({ keep: { maxBytes: 4000, leastAgeMs: 0 } })
    for (let count = 0; count < 6; count += 1) await endOf(await pool.submit('file'))
    await eventually(async () => expect(await folders(pool)).toBeLessThan(4))
    await using tiny = await startPool({ keep: { maxBytes: 10 } })
    const short = await tiny.submit('short')
    await endOf(short)
    expect(await isStored(tiny, short)).toBe(true)
  })

  test('what was fetched first, above a number of bytes, though what nobody fetched is older', async () => {
    await using pool = await startPool({ keep: { maxBytes: 4000 } })
    const [unread, fetched] = [await pool.submit('file'), await pool.submit('file')]
    await endOf(unread)
    expect(await fetchAll(pool, fetched)).toBe(1000)
    await endOf(await pool.submit('file'))
    await eventually(async () => expect(await isStored(pool, fetched)).toBe(false))
    expect(await isStored(pool, unread)).toBe(true)
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

describe('what ended a moment ago and nobody has fetched', () => {
  test('stays up to twice the bytes; then no more is taken until one of it was fetched', async () => {
    await using pool = await startPool({ keep: { maxBytes: 2000 } })
    const made = [await pool.submit('file'), await pool.submit('file'), await pool.submit('file')]
    for (const prediction of made) await endOf(prediction)
    await expect(pool.submit('x')).rejects.toThrow(Full)
    await expect(upload(pool)).rejects.toThrow(Full)
    expect(await Promise.all(made.map((one) => isStored(pool, one)))).toEqual([true, true, true])
    for (const prediction of made) expect(await fetchAll(pool, prediction)).toBe(1000)
    expect((await endOf(await pool.submit('x'))).status).toBe('succeeded')
    await eventually(async () => expect(await folders(pool)).toBe(1))
  })

  test('goes for what is to come once it is old enough, even where it alone is too large', async () => {
    await using pool = await startPool({ keep: { maxBytes: 20, leastAgeMs: 100 } })
    const large = await pool.submit('file')
    await endOf(large)
    expect(await isStored(pool, large)).toBe(true)
    await eventually(async () => expect((await endOf(await pool.submit('x'))).status).toBe('succeeded'))
    expect(await isStored(pool, large)).toBe(false)
  })

  test('is at who asked before the next is taken, one after the other, where each alone is too large', async () => {
    await using pool = await startPool({ keep: { maxBytes: 20 } })
    for (let count = 0; count < 3; count += 1) {
      const prediction = await eventually(() => pool.submit('file'))
      expect(await fetchAll(pool, prediction)).toBe(1000)
    }
  })

  test('refuses the next over HTTP so that a daemon tries it again later', async () => {
    await using runtime = await serve('echo.ts', { keep: { maxBytes: 100 } })
    const demo = new HttpPredictor({ base: runtime.url })
    const submit = () => demo.submit({ id: newPredictionId(), input: { words: 'x', sure: true } })
    const first = await submit()
    await eventually(async () => expect((await first.snapshot()).status).toBe('succeeded'))
    await expect(submit()).rejects.toThrow(Full)
    for await (const event of first.events()) if (event.type === 'completed') break
    await eventually(submit)
  })
})

test('what ended is not held by the worker that made it', async () => {
  await using pool = await startPool({ keep: { keepMs: 0 } })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await endOf(await pool.submit('large'))
  collect()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 200; count += 1)
    expect((await endOf(await pool.submit('large'))).status).toBe('succeeded')
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
  const accepted = pool.predictor.files.put('0123456789abcdef', 'a.txt', undefined, once(50))
  expect(await accepted).toBe(fileRef('0123456789abcdef', 'a.txt'))
})
