import fs from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { startTime } from '@origami/host/process-identity'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockFolder } from '../../src/state/lock.ts'
import { LockStarters, took } from './lock-starters.ts'

let others: LockStarters
beforeEach(async () => {
  others = await LockStarters.open()
})
afterEach(() => others[Symbol.asyncDispose]())

describe('a state folder has one owner', () => {
  test(
    'of 20 that start at once on a lock whose process was killed, one wins, 4 times',
    () => others.race(20, 4),
    60_000,
  )

  test('who comes second is told who has it, in this process too; given back, it is free', async () => {
    const first = await lockFolder(others.folder)
    await expect(lockFolder(others.folder)).rejects.toThrow(
      `belongs to the daemon with process id ${process.pid}, which runs`,
    )
    expect(await took(await others.starter())).toBe(false)
    await first[Symbol.asyncDispose]()
    expect(await took(await others.starter())).toBe(true)
  })

  test('the lock of a daemon of before, which has the file alone, holds as long as it runs', async () => {
    const { pid = 0 } = await others.starter()
    await writeFile(join(others.folder, 'lock'), `${pid} ${startTime(pid)}`)
    await expect(lockFolder(others.folder)).rejects.toThrow(`process id ${pid}`)
    await writeFile(join(others.folder, 'lock'), `${pid} 1`)
    await using _ours = await lockFolder(others.folder)
  })

  test('one whose process cannot be told of now is refused, and is free once it can be', async () => {
    await writeFile(join(others.folder, 'lock'), '999999999 1')
    const { readFileSync } = fs
    fs.readFileSync = () => {
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
    }
    syncBuiltinESMExports()
    try {
      await expect(lockFolder(others.folder)).rejects.toThrow('EMFILE')
    } finally {
      fs.readFileSync = readFileSync
      syncBuiltinESMExports()
    }
    await using _ours = await lockFolder(others.folder)
  })

  test('one whose file cannot be read is refused', async () => {
    await mkdir(join(others.folder, 'lock'))
    await expect(lockFolder(others.folder)).rejects.toThrow('EISDIR')
    await rmdir(join(others.folder, 'lock'))
    await using _ours = await lockFolder(others.folder)
  })
})
