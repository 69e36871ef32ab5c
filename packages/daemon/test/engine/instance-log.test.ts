import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readInstanceLog } from '../../src/engine/process/instance-log.ts'

const never = new AbortController().signal

let home: string
let folder: string
let path: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-instance-log-'))
  folder = join(home, 'one')
  path = join(folder, `log-${'0'.repeat(16)}`)
})
afterEach(() => rm(home, { recursive: true }))

/** What the log of an instance that exited says. */
async function textOfExited(): Promise<string[]> {
  const lines: string[] = []
  for await (const { text } of readInstanceLog(folder, undefined, 1000, async () => true, never)) lines.push(text)
  return lines
}

test('an instance whose folder is gone, or that printed nothing, has no lines', async () => {
  expect(await textOfExited()).toEqual([])
  await mkdir(folder)
  expect(await textOfExited()).toEqual([])
})

test('a file that its shim removed during the read has no lines', async () => {
  await mkdir(folder)
  await symlink('gone', path)
  expect(await textOfExited()).toEqual([])
})

test('a log that cannot be read is an error, and is not taken for one without lines', async () => {
  await symlink('one', folder)
  await expect(textOfExited()).rejects.toThrow('ELOOP')
  await rm(folder)
  await mkdir(folder)
  await symlink(path, path)
  await expect(textOfExited()).rejects.toThrow('ELOOP')
  await rm(path)
  await writeFile(path, '2026-11-24T12:00:00.123Z hello\n')
  expect(await textOfExited()).toEqual(['hello'])
})
