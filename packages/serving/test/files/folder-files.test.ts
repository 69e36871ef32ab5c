import { mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Slices } from '@origami/host/slices'
import { fileRef, randomId } from '@origami/protocol/demo'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FolderFiles } from '../../src/files/folder-files.ts'

describe('files in a folder', () => {
  let folder: string
  let files: FolderFiles
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'origami-files-')))
    files = new FolderFiles(folder, { maxFileBytes: () => 1000 })
  })
  afterAll(async () => rm(folder, { recursive: true }))

  const put = (name: string, text = 'bytes', type = 'text/plain') => files.put(randomId(), name, type, stream(text))

  test.each([
    ['scan 1.nii.gz', 'scan 1.nii.gz'],
    ['ünïcode.WAV', '_n_code.WAV'],
    ['.bashrc', '_bashrc'],
    ['-rf', '_rf'],
    [`${'x'.repeat(190)}.png`, `${'x'.repeat(96)}.png`],
    ['a;$(id).png', 'a___id_.png'],
  ])('%j is kept as a file whose ending a model can go by: %j', async (name, fileName) => {
    const ref = await put(name)
    expect(files.path(ref)).toBe(join(folder, ref.split('/')[1] ?? '', 'file', fileName))
    const file = await files.open(ref)
    expect(file).toMatchObject({ name, size: 5, type: 'text/plain' })
    expect(file && String(await buffer(file.bytes(1, 3)))).toBe('yt')
  })

  test('whatever its name, a file stays in its own folder and comes back as it was', async () => {
    const names = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).filter((name) => {
      try {
        return Boolean(fileRef(randomId(), name))
      } catch {
        return false
      }
    })
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        const ref = await put(name)
        const path = files.path(ref) ?? ''
        expect(dirname(path)).toBe(join(folder, ref.split('/')[1] ?? '', 'file'))
        expect(await files.open(ref)).toMatchObject({ name, size: 5 })
        expect(await files.forget(ref)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('one that is too large leaves nothing; of two under one id the first stays; a page is never called one', async () => {
    await expect(put('large', 'x'.repeat(1001))).rejects.toThrow('expected a file of at most 1000 bytes')
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
    const id = randomId()
    const ref = await files.put(id, 'a.txt', 'text/plain', stream('first'))
    await files.put(id, 'a.txt', 'text/plain', stream('second'))
    const first = await files.open(ref)
    expect(first && String(await buffer(first.bytes()))).toBe('first')
    expect(await files.open(await put('x.html', '<script>', 'text/html'))).toMatchObject({
      type: 'application/octet-stream',
    })
    expect([await files.forget(ref), await files.forget(ref), await files.open(ref)]).toEqual([true, false, undefined])
  })

  test('one that cannot be read does not count as absent, and is neither stored anew nor forgotten', async () => {
    const [unreadable, looped] = [fileRef(randomId(), 'a.txt'), fileRef(randomId(), 'a.txt')]
    const folderOf = (ref: string) => join(dirname(files.path(ref) ?? ''), '..')
    await mkdir(join(folderOf(unreadable), 'about.json'), { recursive: true })
    await expect(files.open(unreadable)).rejects.toThrow('EISDIR')
    await expect(files.put(unreadable.split('/')[1] ?? '', 'a.txt', undefined, stream('x'))).rejects.toThrow('EISDIR')
    await mkdir(folderOf(looped))
    await symlink('file', join(folderOf(looped), 'file'))
    await expect(files.forget(looped)).rejects.toThrow('ELOOP')
  })

  test('one that is given to another folder is the same bytes, or others that change nothing of it', async () => {
    const other = new FolderFiles(join(folder, 'other'), { maxFileBytes: () => 0 })
    const ref = await put('a.txt')
    const [linked, copied] = [randomId(), randomId()]
    expect(await files.giveTo(other, ref, linked, 'link')).toBe(fileRef(linked, 'a.txt'))
    expect(await files.giveTo(other, ref, linked, 'copy')).toBe(fileRef(linked, 'a.txt'))
    const copy = (await files.giveTo(other, ref, copied, 'copy')) ?? fileRef(copied, 'none')
    expect(await other.open(copy)).toMatchObject({ name: 'a.txt', type: 'text/plain', size: 5 })
    const inode = async (path = '') => (await stat(path)).ino
    expect(await inode(other.path(fileRef(linked, 'a.txt')))).toBe(await inode(files.path(ref)))
    await writeFile(other.path(copy) ?? '', 'changed')
    const kept = await files.open(ref)
    expect(kept && String(await buffer(kept.bytes()))).toBe('bytes')
    expect(await files.giveTo(other, fileRef(randomId(), 'a.txt'), randomId(), 'link')).toBeUndefined()
    await rm(join(folder, 'other'), { recursive: true })
  })

  test('one whose bytes are gone is absent', async () => {
    const ref = await put('a.txt')
    await rm(files.path(ref) ?? '')
    expect([await files.open(ref), await files.forget(ref)]).toEqual([undefined, false])
  })
})

test('old files go in slices; what is wanted or new stays, and one that cannot be removed keeps no other', async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'origami-files-')))
  const files = new FolderFiles(folder, { maxFileBytes: () => 1000 })
  const ids = Array.from({ length: 20 }, () => randomId())
  for (const id of ids) await files.put(id, 'a.txt', 'text/plain', stream('bytes'))
  const [wantedId, failing] = ids
  let looks = 0
  const wanted = {
    has(id: string) {
      looks += 1
      if (id === failing) throw new Error('the database is locked')
      return id === wantedId
    },
  }
  const [before, later] = [new Date(0), new Date(Date.now() + 60_000)]
  expect(await files.sweep(before, wanted)).toBe(0)
  const slices = new Slices({ most: () => 3, clock: () => 0 })
  await files.sweep(later, wanted, { slices, signal: AbortSignal.abort() })
  expect(looks).toBe(0)
  await expect(files.sweep(later, wanted, { slices })).rejects.toThrow('1 files could not be removed')
  expect((await readdir(folder)).toSorted()).toEqual([wantedId, failing].toSorted())
  expect(await new FolderFiles(join(folder, 'none'), { maxFileBytes: () => 1000 }).sweep(later)).toBe(0)
  await rm(folder, { recursive: true })
})

async function* stream(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
}
