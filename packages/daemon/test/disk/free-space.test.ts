import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FreeSpace, type Space, size, type Use } from '../../src/disk/free-space.ts'

const limits = {
  freeBuildBytes: 100e6,
  freeBuildFiles: 1000,
  freeBuildingBytes: 60e6,
  freeUploadBytes: 40e6,
  freeUploadFiles: 100,
}
const uses: readonly Use[] = ['build', 'building', 'upload', 'prediction']
const state = { name: 'The disk', path: '/state', forImages: false }

/** What is refused, of all uses. */
async function refused(disks: readonly (typeof state & Space)[]): Promise<Use[]> {
  const space = new FreeSpace({
    disks,
    limits,
    read: async (path) => disks.find((disk) => disk.path === path) ?? { bytes: 0, files: 0 },
  })
  const lacks = await Promise.all(uses.map(async (use) => [use, await space.lackFor(use)] as const))
  return lacks.flatMap(([use, lack]) => (lack === undefined ? [] : [use]))
}

test.each([
  [100e6, 1000, []],
  [99e6, 1000, ['build']],
  [59e6, 1000, ['build', 'building']],
  [39e6, 1000, ['build', 'building', 'upload']],
  [1e6, 1000, ['build', 'building', 'upload', 'prediction']],
  [100e6, 999, ['build']],
  [100e6, 499, ['build', 'building']],
  [100e6, 99, ['build', 'building', 'upload']],
  [100e6, 3, ['build', 'building', 'upload', 'prediction']],
  [100e6, Number.POSITIVE_INFINITY, []],
])('%d bytes and %d files are too few for %j', async (bytes, files, uses) => {
  expect(await refused([{ ...state, bytes, files }])).toEqual(uses)
})

test('a disk that only builds fill refuses nothing else', async () => {
  const images = { name: 'The other', path: '/images', forImages: true, bytes: 0, files: 0 }
  expect(await refused([{ ...state, bytes: 1e9, files: 1e6 }, images])).toEqual(['build', 'building'])
})

test('it says which disk, how much it has and how much it takes', async () => {
  const space = new FreeSpace({ disks: [state], limits, read: async () => ({ bytes: 12_345_678, files: 1e6 }) })
  expect(await space.lackFor('upload')).toBe('The disk has 12 MB free, and an upload needs 40 MB')
})

test('a disk that cannot be asked counts as one with room', async () => {
  const space = new FreeSpace({ disks: [{ ...state, path: join(tmpdir(), 'origami-no-such-folder') }], limits })
  expect(await space.lackFor('build')).toBeUndefined()
})

test('a real disk is asked', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'origami-space-'))
  try {
    const huge = { ...limits, freeBuildBytes: 2 ** 60 }
    const space = new FreeSpace({ disks: [{ ...state, path: folder }], limits: huge })
    expect(await space.lackFor('build')).toMatch(/^The disk has .* free, and a deployment begins with 1152922 TB$/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_500, '1.5 kB'],
  [5 * 1024 ** 3, '5.4 GB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(size(bytes)).toBe(text)
})
