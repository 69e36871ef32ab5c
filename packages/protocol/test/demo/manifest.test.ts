import { describe, expect, test } from 'vitest'
import { ManifestError, parseManifest } from '../../src/demo/index.ts'

describe('.origami', () => {
  test('may be empty, and is then all defaults', () => {
    expect(parseManifest('')).toEqual({ strategy: 'swap', port: 6000, ready_within: 120, timeout: 600 })
    expect(parseManifest('# nothing yet\n')).toEqual({ strategy: 'swap', port: 6000, ready_within: 120, timeout: 600 })
  })

  test('sizes come out in bytes', () => {
    expect(parseManifest('memory: 512m').memory).toBe(512 * 1024 * 1024)
    expect(parseManifest('memory: 2G').memory).toBe(2 * 1024 ** 3)
  })

  test.each([
    ['title: A\nconcurency: 2\n', 'line 2, column 1: unknown key "concurency"; did you mean concurrency?'],
    ['concurrency: 65', 'line 1, column 1: concurrency'],
    ['concurrency: 0', 'concurrency'],
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
