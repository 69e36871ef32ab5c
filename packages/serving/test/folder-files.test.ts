import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileRef, randomId } from '@origami/protocol/demo'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FolderFiles } from '../src/files/folder-files.ts'

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
  ])('%j is kept as a file whose ending a model can go by: %j', async (name, kept) => {
    const ref = await put(name)
    expect(files.path(ref)).toBe(join(folder, ref.split('/')[1] ?? '', 'file', kept))
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
    const kept = await files.open(ref)
    expect(kept && String(await buffer(kept.bytes()))).toBe('first')
    expect(await files.open(await put('x.html', '<script>', 'text/html'))).toMatchObject({ type: 'application/octet-stream' })
    expect([await files.forget(ref), await files.forget(ref), await files.open(ref)]).toEqual([true, false, undefined])
  })
})

async function* stream(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text)
}
