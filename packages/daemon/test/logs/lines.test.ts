import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lines } from '../../src/logs/lines.ts'

const cut = (text: string, options = {}) => {
  const lines = new Lines(options)
  return [...lines.push(Buffer.from(text)), ...lines.end()]
}

describe('what a program prints becomes lines', () => {
  test('a line ends at its line feed; the last one needs none', () => {
    expect(cut('one\ntwo\r\n\nthree')).toEqual(['one', 'two', '', 'three'])
    expect(cut('')).toEqual([])
  })

  test('of what a carriage return overwrites, the last that is not empty stays', () => {
    expect(cut('0%\r50%\r100%\nnext\n')).toEqual(['100%', 'next'])
    expect(cut('0%\r50%\r\r\r\n')).toEqual(['50%'])
    expect(cut('0%\r50%\r')).toEqual(['50%'])
    expect(cut('\r\r\nnext')).toEqual(['', 'next'])
  })

  test('a progress bar is written as it stands at most once in a while, and its end once', () => {
    let now = 0
    const lines = new Lines({ progressMs: 5000, clock: () => now })
    const written: string[] = []
    for (; now < 12_000; now += 10) written.push(...lines.push(Buffer.from(`${now}\r`)))
    expect(written).toEqual(['5000', '10000'])
    expect(lines.push(Buffer.from('\nnext\n'))).toEqual(['11990', 'next'])
  })

  test('a progress bar whose last state is written already is not written twice', () => {
    let now = 0
    const lines = new Lines({ progressMs: 5000, clock: () => now })
    now = 6000
    expect(lines.push(Buffer.from('done\r'))).toEqual(['done'])
    expect(lines.push(Buffer.from('\nnext\n'))).toEqual(['next'])
  })

  test('a line without end is cut, says so, and the rest of it is dropped', () => {
    expect(cut(`${'x'.repeat(100)}\nnext\n`, { maxBytes: 10 })).toEqual(['xxxxxxxxxx (cut)', 'next'])
    expect(cut('ééééé\n', { maxBytes: 5 })).toEqual(['éé (cut)'])
    expect(cut(`${'x'.repeat(64 * 1024)}\n`)).toEqual(['x'.repeat(64 * 1024)])
  })

  test('where the bytes happen to be torn makes no difference', () => {
    const text = fc
      .array(fc.constantFrom('a', 'é', '🦢', '\n', '\r', '%'), { maxLength: 60 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 7 }), (whole, size) => {
        const bytes = Buffer.from(whole)
        const lines = new Lines({ maxBytes: 10 })
        const torn: string[] = []
        for (let at = 0; at < bytes.length; at += size) torn.push(...lines.push(bytes.subarray(at, at + size)))
        expect([...torn, ...lines.end()]).toEqual(cut(whole, { maxBytes: 10 }))
      }),
    )
  })
})
