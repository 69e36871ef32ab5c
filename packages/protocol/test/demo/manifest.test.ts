import { describe, expect, test } from 'vitest'
import { ManifestError, parseManifest } from '../../src/demo/index.ts'

describe('.origami', () => {
  test('may be empty, and is then all defaults', () => {
    const times = { ready_within: 120, timeout: 600 }
    const defaults = { strategy: 'swap', port: 6000, ...times, network: 'web', tmp_exec: false }
    expect(parseManifest('')).toEqual(defaults)
    expect(parseManifest('# nothing yet\n')).toEqual(defaults)
  })

  test('sizes come out in bytes', () => {
    expect(parseManifest('memory: 512m').memory).toBe(512 * 1024 * 1024)
    expect(parseManifest('memory: 2G').memory).toBe(2 * 1024 ** 3)
    expect(parseManifest('memory: 3k').memory).toBe(3 * 1024)
  })

  test.each([
    ['concurrency', 1, 64],
    ['port', 1, 65_535],
    ['ready_within', 1, 3600],
    ['timeout', 1, 86_400],
  ] as const)('%s is a whole number from %i to %i', (key, least, most) => {
    for (const value of [least, most]) expect(parseManifest(`${key}: ${value}`)[key]).toBe(value)
    for (const value of [least - 1, most + 1, least + 0.5])
      expect(() => parseManifest(`${key}: ${value}`)).toThrow(ManifestError)
  })

  test('title and description may not be longer than a page shows', () => {
    const texts = [`title: ${'x'.repeat(200)}`, `description: ${'x'.repeat(10_000)}`]
    for (const text of texts) {
      expect(() => parseManifest(text)).not.toThrow()
      expect(() => parseManifest(`${text}x`)).toThrow(ManifestError)
    }
  })

  test.each([
    ['title: A\nconcurency: 2\n', 'line 2, column 1: unknown key "concurency"; did you mean concurrency?'],
    ['concurrency: 65', 'line 1, column 1: concurrency'],
    ['strategy: swop', 'strategy'],
    ['memory: lots', 'expected a size such as 512m or 2g'],
    ['- a\n- b', 'expected keys and values'],
    ['title: [', 'line 1'],
    ['just text', 'expected keys and values'],
  ])('%j is refused with %j', (text, message) => {
    expect(() => parseManifest(text)).toThrow(ManifestError)
    expect(() => parseManifest(text)).toThrow(message)
  })
})
