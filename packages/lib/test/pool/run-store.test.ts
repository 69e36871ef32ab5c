import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FolderFiles } from '@origami/serving'
import { expect, test } from 'vitest'
import { CountedFiles } from '../../src/runtime/pool/counted-files.ts'
import type { Run } from '../../src/runtime/pool/run.ts'
import { type KeepLimits, RunStore } from '../../src/runtime/pool/run-store.ts'
import { newRun } from './runs.ts'

/** Runs without files: the folder of those is never made. */
function runStore(limits: Partial<KeepLimits>): RunStore {
  const files = new CountedFiles(new FolderFiles(join(tmpdir(), 'never-made'), { maxFileBytes: () => 0 }))
  const hour = 3_600_000
  return new RunStore(files, {
    keepMs: hour,
    maxEnded: 100,
    maxBytes: 1024 ** 2,
    leastAgeMs: hour,
    unusedFileMs: hour,
    ...limits,
  })
}

/** One of about so many bytes that ended. */
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
