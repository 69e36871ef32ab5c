import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readBundleFile } from '../../src/engine/bundle-file.ts'
import { ConfigError } from '../../src/engine/engine.ts'

describe('a file of a repository', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-bundle-file-'))
    await mkdir(join(folder, 'repository'))
  })
  afterEach(async () => rm(folder, { recursive: true }))
  const path = (name: string) => join(folder, 'repository', name)
  const read = (name: string, mostBytes?: number) => readBundleFile(join(folder, 'repository'), name, mostBytes)

  test('is read, or is not there', async () => {
    await writeFile(path('Dockerfile'), 'FROM scratch\n')
    expect(await read('Dockerfile')).toBe('FROM scratch\n')
    expect(await read('.dockerignore')).toBeUndefined()
  })

  test.each<[string, (at: string) => unknown]>([
    ['a folder', (at) => mkdir(at)],
    ['a link out of it', (at) => symlink('/etc/hostname', at)],
    ['a link within it', async (at) => Promise.all([symlink('other', at), writeFile(path('other'), 'x')])],
    ['a link to nothing', (at) => symlink('nothing', at)],
    ['a pipe that nobody writes to', (at) => promisify(execFile)('mkfifo', [at])],
    ['a device without end', (at) => symlink('/dev/zero', at)],
  ])('that is %s is refused', async (_what, make) => {
    await make(path('Dockerfile'))
    await expect(read('Dockerfile')).rejects.toThrow(new ConfigError('expected `Dockerfile` to be a plain file'))
  })

  test('that is a socket is refused', async () => {
    const server = createServer().listen(path('Dockerfile'))
    await once(server, 'listening')
    await expect(read('Dockerfile')).rejects.toThrow('to be a plain file')
    server.close()
  })

  test('is read up to a size: what is larger is refused without being read', async () => {
    await writeFile(path('Dockerfile'), 'x'.repeat(2048))
    expect(await read('Dockerfile', 2048)).toHaveLength(2048)
    await truncate(path('Dockerfile'), 2 ** 40)
    await expect(read('Dockerfile', 2048)).rejects.toThrow(
      'expected `Dockerfile` to be at most 2 KiB, got 1099511627776 bytes',
    )
  })
})
