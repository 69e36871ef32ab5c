import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { leadsOut, refuseLinksOut } from '../../src/source/links.ts'
import { SourceError } from '../../src/source/source.ts'

let folder: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'origami-links-')))
})
afterEach(async () => rm(folder, { recursive: true }))

describe('links of a repository', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['within it', { 'a/here': '../b/file', 'b/all': '..', loop: 'loop' }, undefined],
    ['to nothing within it', { gone: 'no/thing' }, undefined],
    ['out of it', { leak: '../secret' }, 'leak'],
    ['to an absolute path', { leak: '/etc/hostname' }, 'leak'],
    ['out of it through another', { 'a/up': '..', leak: 'a/up/../secret' }, 'leak'],
    ['out of it through two others', { 'a/b/up': '../..', via: 'a/b', leak: 'via/up/../secret' }, 'leak'],
    ['out of it to nothing', { 'a/up': '..', leak: 'a/up/../no/thing' }, 'leak'],
    ['that stand below a link', { 'a/b/up': '../..', 'z/leak': '../a/b/up/..' }, 'z/leak'],
  ])('%s', async (_what, links, refused) => {
    const checked = refuseLinksOut(await withLinks(links), Object.keys(links))
    if (refused === undefined) await expect(checked).resolves.toBeUndefined()
    else await expect(checked).rejects.toThrow(`"${refused}" is a link that leads out of the repository`)
  })

  test('lead out exactly when the kernel goes out', async () => {
    const name = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(name, fc.constantFrom('..', '..', '.'))
    const target = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) => steps.join('/'))
    const place = fc.constantFrom('a/x', 'a/b/y', 'z', 'b/a/w').map((path) => path)
    await fc.assert(
      fc.asyncProperty(fc.dictionary(place, target, { minKeys: 1, noNullPrototype: true }), async (links) => {
        const root = await withLinks(links)
        for (const path of Object.keys(links)) {
          const there = await realpath(join(root, path)).catch(() => undefined)
          // What does not exist cannot be asked of the kernel.
          if (there === undefined) continue
          const isOut = there !== root && !there.startsWith(`${root}/`)
          // A way that goes out and comes in again is refused too.
          if (isOut) expect(leadsOut(path, new Map(Object.entries(links)))).toBe(true)
        }
        await rm(root, { recursive: true })
      }),
      { numRuns: 100 },
    )
  })

  test('that would take long to follow are refused', () => {
    const targets = new Map(Array.from({ length: 2000 }, (_, index) => [`l${index}`, 'd/../'.repeat(800)]))
    const steps = { left: 100_000 }
    const all = () => [...targets.keys()].some((path) => leadsOut(path, targets, steps))
    expect(all).toThrow(new SourceError('the repository has too many links, or links that are too long'))
  })
})

/** A tree with some folders, a file and these links, in a folder of its own. */
async function withLinks(links: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(folder, 'tree-'))
  for (const path of ['a/b', 'b/a', 'c']) await mkdir(join(root, path), { recursive: true })
  await writeFile(join(root, 'b/file'), '')
  for (const [path, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await symlink(target, join(root, path))
  }
  return root
}
