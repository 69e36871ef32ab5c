import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { terminalLines } from '../../src/log/ansi.ts'

const esc = '\u001b'
/** The text as a person reads it. */
const read = (text: string) => terminalLines(text).map((spans) => spans.map((span) => span.text).join(''))

describe('what a program prints', () => {
  test('without escape sequences is its lines', () => {
    const plain = fc.stringMatching(/^[ -~\n\t]*$/)
    fc.assert(fc.property(plain, (text) => void expect(read(text)).toEqual(text.split('\n'))))
  })

  test('keeps its colour and weight from line to line until they are taken back', () => {
    expect(terminalLines(`a${esc}[1;31mb\nc${esc}[22md${esc}[2;94me${esc}[39mf${esc}[mg`)).toEqual([
      [{ text: 'a' }, { text: 'b', colour: 1, bold: true }],
      [
        { text: 'c', colour: 1, bold: true },
        { text: 'd', colour: 1 },
        { text: 'e', colour: 4, faint: true },
        { text: 'f', faint: true },
        { text: 'g' },
      ],
    ])
  })

  test.each([
    ['38;5;196', {}],
    ['38;2;31;32;33', {}],
    ['48;5;31', {}],
    ['48;5;31;32', { colour: 2 }],
    ['38', {}],
    ['4;7;999', {}],
    ['1;;31', { colour: 1 }],
  ])('in colours of %s is as plain as this palette has it', (codes, style) => {
    expect(terminalLines(`${esc}[${codes}mx`)).toEqual([[{ text: 'x', ...style }]])
  })

  test.each([
    ['a title', `a${esc}]0;title\u0007b`],
    ['a link', `a${esc}]8;;https://x.org${esc}\\b`],
    ['the cursor moved', `a${esc}[2K${esc}[1A${esc}[?25lb`],
    ['a bell', 'a\u0007b'],
    ['a screen cleared', `${esc}[2J${esc}[Ha${esc}Mb`],
  ])('beside its text is left out: %s', (_what, text) => {
    expect(read(text)).toEqual(['ab'])
  })

  test.each([
    ['10%\r20%\r30%', '30%'],
    ['10%\r', '10%'],
    ['10%\r\r', '10%'],
    ['10%\r20%\r', '20%'],
    ['done\r\nnext', 'done'],
    [`10%\r${esc}[32m20%`, '20%'],
    [`10%\r${esc}[2K\r20%`, '20%'],
    [`${esc}[32m10%${esc}[0m\r${esc}[32m20%${esc}[0m`, '20%'],
    [`a${esc}[1mb\r`, 'ab'],
  ])('after a carriage return takes the place of its line: %j', (text, line) => {
    expect(read(text)[0]).toBe(line)
  })

  test('is as many lines as it has, without control characters, whatever it is', () => {
    const piece = fc.constantFrom(
      esc,
      '[',
      ']',
      'm',
      '0',
      ';',
      '\r',
      '\n',
      '\u0007',
      '\\',
      'x',
      '3',
      '8',
      '?',
      '\u009b',
    )
    const text = fc.oneof(
      fc.array(piece).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(text, (printed) => {
        const lines = terminalLines(printed)
        expect(lines).toHaveLength(printed.split('\n').length)
        for (const { text } of lines.flat()) {
          expect(text).not.toBe('')
          // biome-ignore lint/suspicious/noControlCharactersInRegex: there are none
          expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f]/)
        }
      }),
    )
  })

  test('of as much as a page keeps is read in one go, all of it carriage returns', () => {
    expect(read('\r'.repeat(262_144))).toEqual([''])
    expect(read('50%\r'.repeat(65_536))).toEqual(['50%'])
    expect(read(`${esc}]`.repeat(131_072))[0]).toHaveLength(131_072)
  })
})
