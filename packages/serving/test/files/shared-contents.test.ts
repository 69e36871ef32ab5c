import { createHash } from 'node:crypto'
import { link, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type FileRef, randomId } from '@origami/protocol/demo'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FolderFiles } from '../../src/files/folder-files.ts'

let folder: string
let files: FolderFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-contents-'))
  files = new FolderFiles(folder, { maxFileBytes: () => 1000, sharesContents: true })
})
afterEach(() => rm(folder, { recursive: true }))

const put = (content: string, name = 'a.txt', id = randomId()) => files.put(id, name, 'text/plain', bytesOf(content))
async function* bytesOf(content: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(content)
}
const inode = async (ref: FileRef) => (await stat(files.path(ref) ?? '')).ino
const contentOf = async (ref: FileRef) => {
  const file = await files.open(ref)
  return file && text(file.bytes())
}
const contents = () => readdir(join(folder, '.contents'))
const later = new Date(Date.now() + 60_000)

test('the same bytes are stored once, whatever they are called; others are not', async () => {
  const [one, same, other] = [await put('bytes'), await put('bytes', 'b.csv'), await put('others')]
  expect(await inode(same)).toBe(await inode(one))
  expect(await inode(other)).not.toBe(await inode(one))
  expect(await contents()).toEqual(['bytes', 'others'].map(sha256).toSorted())
  expect(await files.open(same)).toMatchObject({ name: 'b.csv', size: 5 })
})

test('a content stays while a file has it, and goes with the last', async () => {
  const [one, same] = [await put('bytes'), await put('bytes')]
  expect(await files.forget(one)).toBe(true)
  expect([await contentOf(one), await contentOf(same)]).toEqual([undefined, 'bytes'])
  expect(await files.sweep(later)).toBe(1)
  expect(await contents()).toEqual([])
})

test('a content that a crash left without a file is swept, and a new file never', async () => {
  const ref = await put('bytes')
  await writeFile(join(folder, '.contents', sha256('left')), 'left')
  expect(await files.sweep(new Date(0))).toBe(0)
  expect(await contents()).toEqual([sha256('bytes')])
  expect(await contentOf(ref)).toBe('bytes')
})

test('an upload that comes while the same content goes keeps its bytes, in every order of both', async () => {
  for (let round = 0; round < 50; round += 1) {
    const first = await put('bytes')
    const [second] = await Promise.all([put('bytes'), files.forget(first), files.sweep(new Date(0))])
    expect(await contentOf(second)).toBe('bytes')
    await files.forget(second)
  }
  await files.sweep(later)
  expect(await contents()).toEqual([])
})

test('files of a store that did not share are read, removed and swept as before', async () => {
  const before = new FolderFiles(folder, { maxFileBytes: () => 1000 })
  const ref = await before.put(randomId(), 'a.txt', 'text/plain', bytesOf('bytes'))
  await link(files.path(ref) ?? '', join(folder, 'elsewhere'))
  expect(await contentOf(ref)).toBe('bytes')
  expect(await files.forget(ref)).toBe(true)
  expect(await readFile(join(folder, 'elsewhere'), 'utf8')).toBe('bytes')
})

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
