import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FileRef, newPredictionId } from '@origami/protocol/demo'
import { FolderFiles } from '@origami/serving'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CountedFiles } from '../../src/runtime/pool/counted-files.ts'

let folder: string
let files: CountedFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-counted-'))
  files = new CountedFiles(new FolderFiles(folder, { maxFileBytes: () => 1000 }))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const put = (bytes: number): Promise<FileRef> =>
  files.put(crypto.randomUUID().replaceAll('-', ''), 'a.txt', undefined, once(bytes))

async function* once(bytes: number): AsyncIterable<Uint8Array> {
  yield Buffer.alloc(bytes, 'x')
}

async function read(ref: FileRef, start?: number, end?: number): Promise<number> {
  let bytes = 0
  for await (const part of (await files.open(ref))?.bytes(start, end) ?? []) bytes += part.length
  return bytes
}

test('a file was read once somebody had its last byte', async () => {
  const ref = await put(10)
  expect([files.wasRead(ref), files.lastOpened(ref)]).toEqual([false, 0])
  expect([await read(ref, 0, 5), files.wasRead(ref)]).toEqual([5, false])
  expect(files.lastOpened(ref)).toBeGreaterThan(0)
  expect([await read(ref, 5), files.wasRead(ref)]).toEqual([5, true])
})

test('who left before the end has not read it; of an empty file there is nothing to read', async () => {
  const [ref, empty] = [await put(10), await put(0)]
  for await (const _ of (await files.open(ref))?.bytes() ?? []) break
  expect(files.wasRead(ref)).toBe(false)
  await files.open(empty)
  expect(files.wasRead(empty)).toBe(true)
})

test('the bytes of a file are counted until the last prediction that uses it is forgotten', async () => {
  const ref = await put(10)
  const [one, other] = [newPredictionId(), newPredictionId()]
  files.use(ref, one)
  files.use(ref, other)
  await files.release(one)
  expect([files.bytes, files.unused(Number.POSITIVE_INFINITY)]).toEqual([10, []])
  await files.release(other)
  expect([files.bytes, await files.open(ref), files.wasRead(ref)]).toEqual([0, undefined, true])
})

test('what an earlier process left is counted; what cannot be read is told and left alone', async () => {
  const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
  const ref = await put(10)
  await writeFile(join(folder, 'stray'), '')
  await mkdir(join(folder, 'unreadable/about.json'), { recursive: true })
  const next = new CountedFiles(new FolderFiles(folder, { maxFileBytes: () => 1000 }))
  await next.countFolder(folder)
  expect([next.bytes, next.unused(Number.POSITIVE_INFINITY)]).toEqual([10, [ref]])
  expect(logged.mock.calls.flat()).toEqual([expect.stringMatching(/unreadable is not counted .* EISDIR/)])
  logged.mockRestore()
})

test('a folder that does not exist is empty, and one that cannot be read is an error', async () => {
  await files.countFolder(join(folder, 'none'))
  expect(files.bytes).toBe(0)
  await symlink('loop', join(folder, 'loop'))
  await expect(files.countFolder(join(folder, 'loop'))).rejects.toThrow('ELOOP')
})
