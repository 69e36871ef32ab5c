import { writeFile } from 'node:fs/promises'
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
})
