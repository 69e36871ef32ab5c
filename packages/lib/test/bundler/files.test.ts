import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeBundle } from '../../src/bundler/files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-bundle-'))
})
afterEach(() => rm(folder, { recursive: true }))

const write = (contents: Record<string, string>, force = false) =>
  writeBundle(folder, new Map(Object.entries(contents)), force)
const read = (path: string) => readFile(join(folder, path), 'utf8')
const put = (path: string, text: string) => writeFile(join(folder, path), text)
const exists = (path: string) =>
  stat(join(folder, path)).then(
    () => true,
    () => false,
  )

test('what we wrote is replaced; what a person changed since is not, and is told each time', async () => {
  expect(await write({ Dockerfile: 'one', 'origami/server.mjs': 'one' })).toEqual([])
  await put('Dockerfile', 'by hand')
  expect(await write({ Dockerfile: 'two', 'origami/server.mjs': 'two' })).toEqual(['Dockerfile'])
  expect([await read('Dockerfile'), await read('origami/server.mjs')]).toEqual(['by hand', 'two'])
  expect(await write({ Dockerfile: 'three' })).toEqual(['Dockerfile'])
})

test('what was there before us is not ours, unless it is what we would write', async () => {
  await put('Dockerfile', 'mine')
  await put('.origami', 'title: A')
  expect(await write({ Dockerfile: 'ours', '.origami': 'title: A' })).toEqual(['Dockerfile'])
  expect(await write({ Dockerfile: 'ours', '.origami': 'title: B' })).toEqual(['Dockerfile'])
  expect(await read('.origami')).toBe('title: B')
})

test('a change by hand that is taken back is ours again', async () => {
  await write({ Dockerfile: 'one' })
  await put('Dockerfile', 'by hand')
  await write({ Dockerfile: 'two' })
  await put('Dockerfile', 'one')
  expect(await write({ Dockerfile: 'two' })).toEqual([])
  expect(await read('Dockerfile')).toBe('two')
})

test('by force everything is ours', async () => {
  await put('Dockerfile', 'mine')
  expect(await write({ Dockerfile: 'ours' }, true)).toEqual([])
  expect(await write({ Dockerfile: 'ours too' })).toEqual([])
  expect(await read('Dockerfile')).toBe('ours too')
})

test('what is vendored and no longer wanted goes; a file of the author never does', async () => {
  await write({ Dockerfile: 'x', 'origami/old.mjs': 'x', 'origami/python/old.py': 'x' })
  await put('origami/notes.txt', 'mine')
  await write({ 'origami/server.mjs': 'x' })
  expect([await exists('origami/old.mjs'), await exists('origami/python/old.py')]).toEqual([false, false])
  expect([await exists('Dockerfile'), await exists('origami/notes.txt')]).toEqual([true, true])
})

test('a record that somebody else wrote removes nothing outside, and one that is broken counts as none', async () => {
  await mkdir(join(folder, 'bundle/origami'), { recursive: true })
  await put('outside', 'mine')
  const paths = ['../outside', 'origami/../../outside', '/origami/x', 'origami/../outside', 'outside']
  await put('bundle/origami/files.json', JSON.stringify(Object.fromEntries(paths.map((path) => [path, 'x']))))
  await writeBundle(join(folder, 'bundle'), new Map(), true)
  expect(await read('outside')).toBe('mine')

  await put('bundle/Dockerfile', 'mine')
  for (const broken of ['<<<<<<< HEAD\n{}', '[1]', '{"Dockerfile": 7}', 'null']) {
    await put('bundle/origami/files.json', broken)
    expect(await writeBundle(join(folder, 'bundle'), new Map([['Dockerfile', 'ours']]), false)).toEqual(['Dockerfile'])
  }
})

test('what is there already is not written again, so that builds find nothing new', async () => {
  await write({ Dockerfile: 'one' })
  await utimes(join(folder, 'Dockerfile'), 1, 1)
  await write({ Dockerfile: 'one' })
  expect((await stat(join(folder, 'Dockerfile'))).mtimeMs).toBe(1000)
  const record = await read('origami/files.json')
  await write({ Dockerfile: 'one' })
  expect(await read('origami/files.json')).toBe(record)
})
