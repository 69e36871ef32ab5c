import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderFiles } from '@origami/serving'
import { expect, test, vi } from 'vitest'
import { CountedFiles } from '../../src/runtime/pool/counted-files.ts'
import type { Run } from '../../src/runtime/pool/run.ts'
import { type KeepLimits, RunStore } from '../../src/runtime/pool/run-store.ts'
import { newRun } from './runs.ts'

const filesIn = (folder: string) => new CountedFiles(new FolderFiles(folder, { maxFileBytes: () => 1000 }))

/** Runs without files. The folder for files is never made. */
function runStore(limits: Partial<KeepLimits>, files = filesIn(join(tmpdir(), 'never-made'))): RunStore {
  const hour = 3_600_000
  return new RunStore(files, {
    keepMs: hour,
    maxEnded: 100,
    maxEndedBytes: 1024 ** 2,
    maxBytes: 1024 ** 2,
    leastAgeMs: hour,
    unusedFileMs: hour,
    ...limits,
  })
}

/** A run of about this many bytes that ended. */
function ended(runs: RunStore, bytes = 0): Run {
  const run = newRun()
  runs.add(run)
  run.succeed({ said: 'x'.repeat(bytes) })
  runs.end(run)
  return run
}

async function follow(run: Run): Promise<void> {
  for await (const _ of run.events());
}

const keeps = (runs: RunStore, ...asked: Run[]) => asked.map(({ id }) => runs.get(id) !== undefined)

test('the oldest go above a number; what nobody fetched a moment ago stays up to twice as many', () => {
  using old = runStore({ maxEnded: 2, leastAgeMs: 0 })
  const [first, second, third] = [ended(old), ended(old), ended(old)]
  expect(keeps(old, first, second, third)).toEqual([false, true, true])
  using young = runStore({ maxEnded: 2 })
  const made = [1, 2, 3, 4, 5].map(() => ended(young))
  expect(keeps(young, ...made)).toEqual([false, true, true, true, true])
})

test('above a number of bytes what was followed goes first; what is young and was not stays up to twice that', async () => {
  using runs = runStore({ maxBytes: 10_000 })
  const [unread, followed] = [ended(runs, 4000), ended(runs, 4000)]
  await follow(followed)
  expect([runs.hasRoom(4000), ...keeps(runs, unread, followed)]).toEqual([true, true, false])
  const more = [ended(runs, 4000), ended(runs, 4000), ended(runs, 4000)]
  expect([runs.hasRoom(4000), ...keeps(runs, unread, ...more)]).toEqual([false, true, true, true, true])
  await follow(unread)
  expect([runs.hasRoom(4000), ...keeps(runs, unread, ...more)]).toEqual([true, false, true, true, true])
})

test('one that alone is too large stays until its room is needed; then it goes once it was followed', async () => {
  using runs = runStore({ maxBytes: 1000 })
  const large = ended(runs, 4000)
  expect([runs.hasRoom(10), ...keeps(runs, large)]).toEqual([false, true])
  await follow(large)
  expect([runs.hasRoom(10), ...keeps(runs, large)]).toEqual([true, false])
})

test('what is open may take three times the bytes where nothing that ended is kept', () => {
  using runs = runStore({ maxBytes: 1000 })
  expect([runs.hasRoom(3000), runs.hasRoom(3001)]).toEqual([true, false])
  const open = newRun()
  runs.add(open)
  open.start()
  expect([runs.hasRoom(2000), runs.hasRoom(3000)]).toEqual([true, false])
  expect(keeps(runs, open)).toEqual([true])
})

test('what is over its time goes, also where nothing else happens', async () => {
  using runs = runStore({ keepMs: 20 })
  const run = ended(runs)
  await vi.waitFor(() => expect(keeps(runs, run)).toEqual([false]))
})

test('a file that no prediction used goes after its time, and one that is used stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-runs-'))
  try {
    const files = filesIn(folder)
    const [used, unused] = [await put(files, 10), await put(files, 5)]
    const run = newRun()
    files.use(used, run.id)
    using runs = runStore({ unusedFileMs: -1 }, files)
    runs.add(run)
    await vi.waitFor(() => expect(files.bytes).toBe(10))
    await vi.waitFor(async () => expect(await files.open(unused)).toBeUndefined())
    expect(await files.open(used)).toMatchObject({ size: 10 })
  } finally {
    await rm(folder, { recursive: true })
  }
})

async function put(files: CountedFiles, bytes: number) {
  async function* once() {
    yield Buffer.alloc(bytes, 'x')
  }
  return files.put(crypto.randomUUID().replaceAll('-', ''), 'a.txt', undefined, once())
}

test('what was fetched goes above its own number of bytes, the oldest first, whatever files may have', async () => {
  using runs = runStore({ maxEndedBytes: 10_000 })
  const made = []
  for (let count = 0; count < 4; count += 1) {
    const run = newRun()
    runs.add(run)
    const fetched = run.ended()
    run.succeed({ said: 'x'.repeat(4000) })
    expect((await fetched).status).toBe('succeeded')
    runs.end(run)
    made.push(run)
  }
  expect(keeps(runs, ...made)).toEqual([false, false, true, true])
  const unread = [ended(runs, 4000), ended(runs, 4000), ended(runs, 4000)]
  expect(keeps(runs, ...made, ...unread)).toEqual([false, false, false, false, true, true, true])
})
