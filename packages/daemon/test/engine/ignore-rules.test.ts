import { matchesGlob } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IgnoreRules } from '../../src/engine/docker/ignore-rules.ts'
import { ConfigError } from '../../src/engine/engine.ts'

// From the tests of Docker's patternmatcher: what a pattern excludes, and what it does not.
const patterns: readonly [string, string[], string[]][] = [
  ['**', ['file', 'dir/file', '.hidden'], []],
  ['**/', ['file', 'dir/file'], []],
  ['**/**', ['dir/file'], []],
  ['dir/**', ['dir/file', 'dir/a/b'], ['dir', 'other']],
  ['**/dir', ['dir', 'a/dir', 'a/b/dir/c'], ['adir', 'dirb']],
  ['**/dir2/*', ['dir/dir2/file', 'dir2/file'], ['dir/dir2']],
  ['**/*.txt', ['a.txt', 'd/e/a.txt'], ['a.txts', 'a.tx']],
  ['a**b', ['ab', 'a/b', 'acc/b'], ['acb', 'accb']],
  ['a[b-d]e', ['abe', 'ade'], ['aae', 'ae', 'a/e']],
  ['a[^b-d]e', ['aae', 'aze'], ['abe']],
  ['a[\\-x]', ['a-', 'ax'], ['ay']],
  ['a?c', ['abc', 'a🐙c'], ['a/c', 'ac']],
  ['*', ['a', 'a/b'], []],
  ['*/b', ['a/b', 'c/b/d'], ['b', 'a/c/b']],
  ['a.b$c+(d)', ['a.b$c+(d)'], ['axb$c+(d)']],
  ['\\*', ['*'], ['a']],
  ['a\\', ['a\\'], ['a']],
  ['/abs/', ['abs', 'abs/file'], ['x/abs']],
  ['./a//b/../c', ['a/c'], ['a/b/c']],
  ['abc', ['abc', 'abc/def'], ['ABC', 'ab', 'abcd']],
  [' spaced \t', ['spaced'], [' spaced']],
  ['# a comment', [], ['# a comment', 'a']],
  ['', [], ['a']],
  ['!', [], ['!', 'a']],
]

describe('what .dockerignore excludes', () => {
  test.each(patterns)('%j', (pattern, excluded, others) => {
    const rules = new IgnoreRules(pattern)
    expect([...excluded, ...others].filter((path) => rules.excludes(path))).toEqual(excluded)
  })

  test('the last rule that fits counts, and a folder that may hold an exception is walked', () => {
    const rules = new IgnoreRules('\uFEFFweights\r\n*.md\r\n!README.md\r\n!weights/model.bin\r\nREADME.md/x')
    const paths = ['weights', 'weights/old.bin', 'weights/model.bin', 'notes.md', 'README.md', 'model.py']
    expect(paths.filter((path) => rules.excludes(path))).toEqual(['weights', 'weights/old.bin', 'notes.md'])
    expect(paths.filter((path) => rules.mayHoldExceptions(path))).toEqual(['weights'])
  })

  test('is what a glob means, for any that has no folders', () => {
    const char = fc.constantFrom('a', 'b', 'c')
    const pattern = fc.array(fc.oneof(char, fc.constantFrom('*', '?')), { minLength: 1, maxLength: 12 }).map((all) =>
      // Two stars have a meaning of their own.
      all.join('').replace(/\*+/g, '*'),
    )
    const name = fc.array(char, { minLength: 1, maxLength: 20 }).map((all) => all.join(''))
    fc.assert(
      fc.property(pattern, name, (glob, path) => {
        expect(new IgnoreRules(glob).excludes(path)).toBe(matchesGlob(path, glob))
      }),
      { numRuns: 500 },
    )
  })

  test.each([
    ['*a'.repeat(28), `${'a'.repeat(200)}b`],
    ['**/a'.repeat(200), `${'aa/'.repeat(99)}b`],
    ['?*'.repeat(500), 'a'.repeat(499)],
    ['[a-z]*'.repeat(300), `${'z'.repeat(299)}0`],
  ])('patterns that take for ever elsewhere are answered: %#', (pattern, path) => {
    expect(new IgnoreRules(pattern).excludes(path)).toBe(false)
  })

  test('what would take long in all is refused', () => {
    const rules = new IgnoreRules('*a*a*a*a*a*a*a*a', 100_000)
    const all = () => {
      for (let file = 0; file < 10_000; file += 1) rules.excludes(`${'a'.repeat(100)}${file}b`)
    }
    expect(all).toThrow(ConfigError)
    expect(all).toThrow('expected fewer or simpler patterns')
  })

  test('a bracket that does not close is told with its line', () => {
    expect(() => new IgnoreRules('a\nb[c')).toThrow('`.dockerignore` line 2: expected a `]` after `[`')
  })
})
