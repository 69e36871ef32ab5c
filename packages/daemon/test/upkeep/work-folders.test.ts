import fs from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sweepWork } from '../../src/upkeep/work-folders.ts'

let work: string
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'origami-work-'))
})
afterEach(() => rm(work, { recursive: true }))

test('folders of attempts that are over go, and temporary homes of git that are older than the daemon', async () => {
  for (const name of ['over', 'used', '.home']) await mkdir(join(work, name))
  await sweepWork(work, new Date(0), (path) => path === join(work, 'used'))
  expect((await readdir(work)).toSorted()).toEqual(['.home', 'used'])
  await sweepWork(work, new Date(Date.now() + 60_000), () => false)
  expect(await readdir(work)).toEqual([])
})

test('a temporary home of git whose age cannot be read now is told and left, and goes once it can be', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  await mkdir(join(work, '.home'))
  const { stat, lstat } = fs.promises
  const failing = async () => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  }
  Object.assign(fs.promises, { stat: failing, lstat: failing })
  syncBuiltinESMExports()
  try {
    await sweepWork(work, new Date(0), () => false)
  } finally {
    Object.assign(fs.promises, { stat, lstat })
    syncBuiltinESMExports()
  }
  expect([await readdir(work), logged.mock.calls.length]).toEqual([['.home'], 1])
  await sweepWork(work, new Date(Date.now() + 60_000), () => false)
  expect([await readdir(work), logged.mock.calls.length]).toEqual([[], 1])
  logged.mockRestore()
})
