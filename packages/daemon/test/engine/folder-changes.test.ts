import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FolderChanges } from '../../src/engine/process/folder-changes.ts'

let home: string
let folder: string
const leaving = new AbortController()
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'origami-folder-changes-'))
  folder = join(home, 'one')
  await mkdir(folder)
})
afterEach(() => rm(home, { recursive: true }))

test('a change since the look at a folder is not missed', async () => {
  using changes = new FolderChanges()
  const seen = changes.watch([folder])
  await writeFile(join(folder, 'port'), '1')
  await changes.after(seen, leaving.signal)
  expect(changes.watch([folder])).toBeGreaterThan(seen)
})

test('what does not concern is no change', async () => {
  const names: string[] = []
  using changes = new FolderChanges((name) => {
    names.push(name)
    return name === 'exit.json'
  })
  const seen = changes.watch([folder])
  await writeFile(join(folder, 'port'), '1')
  await vi.waitFor(() => expect(names).toContain('port'))
  expect(changes.watch([folder])).toBe(seen)
  await writeFile(join(folder, 'exit.json'), '1')
  await changes.after(seen, leaving.signal)
})

test('a folder that was removed and made anew is watched anew', async () => {
  using changes = new FolderChanges()
  const seen = changes.watch([folder])
  await rm(folder, { recursive: true })
  await changes.after(seen, leaving.signal)
  await mkdir(folder)
  const anew = changes.watch([folder])
  await writeFile(join(folder, 'port'), '1')
  await changes.after(anew, leaving.signal)
})

test('a folder that is not there is looked for again, and a wait ends with its signal', async () => {
  using changes = new FolderChanges()
  await changes.after(changes.watch([join(home, 'none')]), leaving.signal)
  const seen = changes.watch([folder])
  const over = new AbortController()
  const waiting = changes.after(seen, over.signal)
  over.abort()
  await waiting
})
