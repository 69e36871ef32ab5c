import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
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
  path = join(folder, `output-${'0'.repeat(16)}`)
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
  await writeFile(path, 'hello\n')
  expect(await textOfExited()).toEqual(['hello'])
})

test('after what was dropped it begins with a whole line', async () => {
  await mkdir(folder)
  await writeFile(join(folder, `output-${'9'.padStart(16, '0')}`), 'ne two\nline ')
  await writeFile(join(folder, `output-${'21'.padStart(16, '0')}`), 'three\nline four')
  expect(await textOfExited()).toEqual(['line three', 'line four'])
})

test('a line has the time at which its file was last written', async () => {
  await mkdir(folder)
  await writeFile(path, 'hello\n')
  const at = new Date('2026-11-24T12:00:00Z')
  await utimes(path, at, at)
  const lines = readInstanceLog(folder, undefined, 1000, async () => true, never)[Symbol.asyncIterator]()
  expect(await lines.next()).toMatchObject({ value: { at, text: 'hello', cursor: '6' } })
})

test('what a shim of an earlier version wrote is read without the times that it put before lines', async () => {
  await mkdir(folder)
  await writeFile(join(folder, `log-${'0'.repeat(16)}`), '2026-11-24T12:00:00.123Z hello\n')
  expect(await textOfExited()).toEqual(['hello'])
})
