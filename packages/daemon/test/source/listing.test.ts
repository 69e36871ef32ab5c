import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shown, TreeReader } from '../../src/source/listing.ts'
import { type FetchLimits, SourceError } from '../../src/source/source.ts'

const limits: FetchLimits = { bytes: 1000, files: 10, pathBytes: 40, memoryBytes: 2 ** 31, cpuMs: 60_000 }
const oid = 'a'.repeat(40)
const entry = (path: string, { mode = '100644', size = '7' } = {}) =>
  `${mode} ${mode === '040000' ? 'tree' : 'blob'} ${oid} ${size.padStart(7)}\t${path}\0`
const read = (text: string, change: Partial<FetchLimits> = {}) => {
  const tree = new TreeReader({ ...limits, ...change })
  tree.read(Buffer.from(text))
  return tree
}

describe('what git lists of a tree', () => {
  test('is read, in whatever pieces it comes', () => {
    const text = [
      entry('model.py'),
      entry('a b\nc', { mode: '100755' }),
      entry('weights', { mode: '040000', size: '-' }),
      entry('weights/é.bin', { size: '130' }),
      entry('here', { mode: '120000' }),
      entry('lib', { mode: '160000', size: '-' }),
    ].join('')
    fc.assert(
      fc.property(fc.array(fc.nat(text.length + 1)), (cuts) => {
        const tree = new TreeReader(limits)
        const bytes = Buffer.from(text)
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        for (const [index, from] of places.slice(0, -1).entries()) tree.read(bytes.subarray(from, places[index + 1]))
        expect(tree).toMatchObject({ links: ['here'], submodules: ['lib'], perhapsPointers: ['weights/é.bin'] })
      }),
    )
  })

  test.each<[string, string, Partial<FetchLimits>]>([
    ['too many files and folders: expected at most 2', entry('a') + entry('b') + entry('c'), { files: 2 }],
    ['too many files and folders', entry('a', { mode: '040000', size: '-' }).repeat(11), {}],
    ['too large: expected at most 1000 bytes', entry('a', { size: '600' }) + entry('b', { size: '401' }), {}],
    ['a path that is too long: expected at most 40 bytes', entry('x'.repeat(41)), {}],
    ['255 for one name, got "a/xx', entry(`a/${'x'.repeat(256)}`), { pathBytes: 1000 }],
    ['a path that is too long', 'x'.repeat(300), {}],
    ['"pipe" is neither a file nor a folder (mode 010644)', entry('pipe', { mode: '010644' }), {}],
  ])('%s: is refused', (message, text, change) => {
    expect(() => read(text, change)).toThrow(SourceError)
    expect(() => read(text, change)).toThrow(message)
  })

  test('a tree that is as much as it may be is taken', () => {
    const text = entry('x'.repeat(40), { size: '1000' }) + entry('a', { size: '0' }).repeat(9)
    expect(() => read(text)).not.toThrow()
  })

  test('a name is shown in one short line', () => {
    expect(shown(`a\nb\u001b[31m${'x'.repeat(500)}`)).toMatch(/^"a\\nb\\u001b\[31mx{10,80}…"$/)
  })
})
