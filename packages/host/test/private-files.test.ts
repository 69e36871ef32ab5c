import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makePrivateFolder, readPrivate, secretKey, writePrivate } from '../src/private-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-private-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('a private folder', () => {
  it('is made with those above it, and stays as it is', async () => {
    const path = join(folder, 'a/b/c')
    await makePrivateFolder(path)
    await makePrivateFolder(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
  })

  it.skipIf(process.platform !== 'linux')('is refused where none can be made', async () => {
    await expect(makePrivateFolder('/proc/x/y')).rejects.toThrow('cannot make /proc/x: no folder can be made there')
  })

  it('is refused where a file is', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(makePrivateFolder(join(folder, 'file'))).rejects.toThrow('EEXIST')
    await expect(makePrivateFolder(join(folder, 'file/below'))).rejects.toThrow('ENOTDIR')
  })
})

describe('a private file', () => {
  it('is its owner’s alone, also where a wider one was', async () => {
    const path = join(folder, 'token')
    await writeFile(path, 'before', { mode: 0o644 })
    await writePrivate(path, 'after')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await readPrivate(path)).toString()).toBe('after')
    expect(await readdir(folder)).toEqual(['token'])
  })

  it('that others can read is not read, and what to do is said', async () => {
    const path = join(folder, 'token')
    await writePrivate(path, 'secret')
    await chmod(path, 0o640)
    await expect(readPrivate(path)).rejects.toThrow(`${path} can be read by others (mode 640); chmod 600 it`)
  })

  it('stays as it was when the new one cannot be written', async () => {
    const path = join(folder, 'token')
    await writePrivate(path, 'before')
    await expect(writePrivate(join(folder, 'nowhere', 'token'), 'after')).rejects.toThrow('ENOENT')
    expect(await readFile(path, 'utf8')).toBe('before')
  })

  it('of a key is made once, by whoever comes first', async () => {
    const path = join(folder, 'secret.key')
    const keys = await Promise.all(Array.from({ length: 8 }, () => secretKey(path)))
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1)
    expect(keys[0]).toHaveLength(32)
  })
})
