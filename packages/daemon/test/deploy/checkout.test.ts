import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SealedBox } from '@origami/host/sealed-box'
import { ManifestError } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultLimits } from '../../src/config.ts'
import { checkout, readManifest, removeCheckout } from '../../src/deploy/checkout.ts'
import type { DeployParts } from '../../src/deploy/parts.ts'
import { DeployProgress } from '../../src/deploy/progress.ts'
import { ConfigError } from '../../src/engine/engine.ts'
import type { FetchRequest } from '../../src/source/source.ts'
import { deleteDemo } from '../../src/store/demos.ts'
import { note } from '../../src/store/deployments.ts'
import { waitingOf } from '../../src/store/waiting-deployments.ts'
import { addedDemo, demo, openInMemory, rowOf } from '../store/in-memory.ts'
import { deployParts } from './deploy-parts.ts'

let folder: string
let db: DeployParts['db']
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'origami-checkout-'))
  db = await openInMemory()
})
afterEach(async () => {
  await db.destroy()
  await rm(folder, { recursive: true })
})

const never = new AbortController().signal
const vault = new SealedBox(Buffer.alloc(32, 7), 'tokens')
/** A source with one commit of one file. */
const source = () => ({
  fetch: vi.fn(async ({ commit = 'c0ffee', into, onLog }: FetchRequest) => {
    await onLog({ at: new Date(0), source: 'clone', text: 'cloned' })
    await writeFile(join(into, 'model.py'), 'print()')
    return { commit, message: 'A better model' }
  }),
})

/** A checkout of a deployment that waits. */
async function begun(change?: Parameters<typeof note>[2]) {
  const row = await addedDemo(db)
  if (change) await note(db, row, change)
  const queued = await waitingOf(db, demo)
  if (!queued) throw new Error('nothing waits')
  const logged: string[] = []
  const append = async (_demo: unknown, lines: { text: string }[]) => void logged.push(...lines.map(({ text }) => text))
  const from = source()
  const parts = deployParts(db, { work: folder, source: from, logs: { append }, vault })
  const run = () => checkout(parts, new DeployProgress(parts, queued, never), queued, never)
  return { id: queued.id, queued, parts, from, logged, run }
}

describe('a checkout', () => {
  test('is of the newest commit, in a folder of its attempt alone, and its row and log say of which', async () => {
    const { id, queued, from, logged, run } = await begun()
    const into = await run()
    expect(into).toBe(join(folder, `${id}-${queued.attempt}`))
    expect(await readFile(join(into, 'model.py'), 'utf8')).toBe('print()')
    expect(await rowOf(db, id)).toMatchObject({ commit: { sha: 'c0ffee', message: 'A better model' } })
    expect(logged).toEqual(['cloned', 'https://folder.test/ann/x at c0ffee'])
    const limits = { bytes: defaultLimits.treeBytes, files: defaultLimits.treeFiles }
    expect(from.fetch.mock.calls[0]?.[0]).toMatchObject({ commit: undefined, token: undefined, limits })
  })

  test('of a commit that is known asks for no other', async () => {
    const { id, from, run } = await begun({ commit_sha: 'facade' })
    await run()
    expect(from.fetch.mock.calls[0]?.[0]).toMatchObject({ commit: 'facade' })
    expect(await rowOf(db, id)).toMatchObject({ commit: { sha: 'facade' } })
  })

  test('is made with the token of its deployment', async () => {
    const { id, queued, parts, from } = await begun()
    const sealed = { ...queued, token: vault.seal('secret', id) }
    await checkout(parts, new DeployProgress(parts, queued, never), sealed, never)
    expect(from.fetch.mock.calls[0]?.[0]).toMatchObject({ token: 'secret' })
  })

  test('of a demo that was removed is canceled', async () => {
    const { from, run } = await begun()
    await deleteDemo(db, demo)
    await expect(run()).rejects.toMatchObject({ state: 'canceled', message: 'the demo was removed' })
    expect(from.fetch).not.toHaveBeenCalled()
  })

  test('is removed with all that is in it, and that one alone', async () => {
    const { queued, parts, run } = await begun()
    await run()
    await mkdir(join(folder, 'other-1'))
    await removeCheckout(parts, queued)
    expect(await readdir(folder)).toEqual(['other-1'])
  })
})

describe('the manifest of a checkout', () => {
  const path = () => join(folder, '.origami')

  test('is read', async () => {
    await writeFile(path(), 'timeout: 7\n')
    expect(await readManifest(folder)).toMatchObject({ timeout: 7 })
  })

  test('that is missing means a repository that is not linked', async () => {
    await expect(readManifest(folder)).rejects.toMatchObject({
      state: 'not_linked',
      message: '`.origami` is missing in the root of the repository; `origami bundle` writes it',
    })
  })

  test.each([
    ['a folder', () => mkdir(path())],
    ['a link out of the checkout', () => symlink('/etc/hostname', path())],
  ])('that is %s is not read', async (_what, make) => {
    await make()
    const refusal = readManifest(folder)
    await expect(refusal).rejects.toBeInstanceOf(ConfigError)
    await expect(refusal).rejects.toThrow('expected `.origami` to be a plain file')
  })

  test('of more than 64 KiB is not read, one of as much is', async () => {
    await writeFile(path(), '#'.repeat(64 * 1024 + 1))
    await expect(readManifest(folder)).rejects.toThrow('expected `.origami` to be at most 64 KiB, got 65537 bytes')
    await writeFile(path(), '#'.repeat(64 * 1024))
    await expect(readManifest(folder)).resolves.toBeDefined()
  })

  test('that is none is an error of the manifest', async () => {
    await writeFile(path(), 'timeout: soon\n')
    await expect(readManifest(folder)).rejects.toBeInstanceOf(ManifestError)
  })
})
