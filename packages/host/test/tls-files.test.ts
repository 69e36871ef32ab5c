import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writePrivate } from '@origami/host/private-files'
import { readTls, replaceTls } from '@origami/host/tls-files'
import { afterEach, beforeEach, expect, test } from 'vitest'

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
