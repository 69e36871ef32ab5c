import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writePrivate } from '@origami/host/private-files'
import { readTls, replaceTls } from '@origami/host/tls-files'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const run = promisify(execFile)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-tls-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a pair that is being replaced is read whole, by as many as ask, and the replacement is done', async () => {
  const paths = { ca: join(folder, 'ca.pem'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const pair = (name: string) => ({ cert: `${name} certificate`, key: `${name} key` })
  await writeFile(paths.ca, 'authority')
  await writeFile(paths.cert, pair('first').cert)
  await writePrivate(paths.key, pair('first').key)
  const changes: Promise<unknown>[] = []
  for (const name of ['second', 'third', 'fourth', 'fifth', 'sixth']) {
    changes.push(replaceTls(paths, pair(name)))
    for (let reader = 0; reader < 5; reader += 1)
      changes.push(readTls(paths).then(({ cert, key }) => expect(`${cert}`.split(' ')[0]).toBe(`${key}`.split(' ')[0])))
  }
  await Promise.all(changes)
  expect(`${(await readTls(paths)).cert}`).toBe(pair('sixth').cert)
  expect(await readdir(folder)).toEqual(['ca.pem', 'cert.pem', 'key.pem'])
})

describe('a replacement that was cut short', () => {
  const at = (name: string) => join(folder, name)
  const paths = () => ({ ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') })

  /** A key and the certificate that it signed itself. */
  async function pair(name: string): Promise<{ cert: string; key: string }> {
    const [key, cert] = [at(`${name}.key`), at(`${name}.cert`)]
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
    await run('openssl', ['req', '-x509', ...curve, '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert])
    const made = { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') }
    await Promise.all([rm(key), rm(cert)])
    return made
  }

  async function place({ cert, key }: { cert: string; key: string }, end = ''): Promise<void> {
    await writePrivate(`${paths().key}${end}`, key)
    await writeFile(`${paths().cert}${end}`, cert)
  }

  test('before its key was in place is undone, after that finished, wherever it stopped', async () => {
    const [before, after] = [await pair('before'), await pair('after')]
    await writeFile(paths().ca, 'authority')
    const next = { cert: `${paths().cert}.next`, key: `${paths().key}.next` }
    const stops: [string, () => Promise<unknown>, typeof before][] = [
      ['a key half written', () => writePrivate(next.key, after.key.slice(0, 80)), before],
      ['a key alone', () => writePrivate(next.key, after.key), before],
      ['a certificate half written', () => place({ ...after, cert: after.cert.slice(0, 80) }, '.next'), before],
      ['both beside', () => place(after, '.next'), before],
      ['the key in place', () => place(after, '.next').then(() => rename(next.key, paths().key)), after],
    ]
    for (const [stop, leave, expected] of stops) {
      await place(before)
      await leave()
      const { cert, key } = await readTls(paths())
      expect({ cert: String(cert), key: String(key) }, stop).toEqual(expected)
      expect(await readdir(folder), stop).toEqual(['ca.pem', 'cert.pem', 'key.pem'])
    }
  })

  test('a key that others can read is refused, and one that is missing', async () => {
    await writeFile(paths().ca, 'authority')
    await place({ cert: 'certificate', key: 'key' })
    await chmod(paths().key, 0o640)
    await expect(readTls(paths())).rejects.toThrow('can be read by others (mode 640); chmod 600 it')
    await rm(paths().key)
    await expect(readTls(paths())).rejects.toThrow('ENOENT')
  })

  test('a replacement that cannot be written leaves what was there, and the next one its turn', async () => {
    await writeFile(paths().ca, 'authority')
    await place({ cert: 'old certificate', key: 'old key' })
    await mkdir(`${paths().cert}.next`)
    await expect(replaceTls(paths(), { cert: 'certificate', key: 'key' })).rejects.toThrow('EISDIR')
    expect(await readFile(paths().key, 'utf8')).toBe('old key')
    await rm(`${paths().cert}.next`, { recursive: true })
    expect(String((await readTls(paths())).cert)).toBe('old certificate')
  })
})
