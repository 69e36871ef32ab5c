import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { nearest, parseYamlKeys } from '../../src/demo/yaml-keys.ts'

const schema = z.strictObject({
  port: z.int('expected a whole number').optional(),
  limits: z
    .strictObject({ waiting: z.int('expected a whole number').optional(), file: z.string().optional() })
    .nullish()
    .default(null),
  pair: z.strictObject({ left: z.string(), right: z.string() }).optional(),
})
const parse = (text: string) => parseYamlKeys(text, schema, 'x.yaml')

const keys = (count: number) => Array.from({ length: count }, (_, index) => `key${index}: 1`).join('\n')

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('expected a refusal')
}

describe('a YAML file of keys and values', () => {
  test.each(['', '# nothing', '---\n', 'null', '{}'])('%j has no keys', (text) => {
    expect(parse(text).value).toEqual({ limits: null })
  })

  test('tells where its keys stand, and nothing of those that it does not have', () => {
    const { lineOf } = parse('# ports\nport: 1\nlimits:\n  # more\n  "waiting": 2\n')
    expect(lineOf(['port'])).toBe(2)
    expect(lineOf(['limits'])).toBe(3)
    expect(lineOf(['limits', 'waiting'])).toBe(5)
    expect(lineOf(['limits', 'file'])).toBeUndefined()
    expect(lineOf(['daemon', 'url'])).toBeUndefined()
    expect(lineOf(['port', 'file'])).toBeUndefined()
  })

  test.each([
    ['port: 1\nport: 2', 'x.yaml line 2, column 1: Map keys must be unique'],
    ['port: 1\n--- \nport: 2', 'x.yaml line 2, column 1: expected one document, got another after ---'],
    ['port: 1\nlimits:\n  wating: 2', 'x.yaml line 3, column 3: unknown key "wating"; did you mean waiting?'],
    ['port: 1\nlimits: {waiting: x}', 'x.yaml line 2, column 10: limits.waiting: expected a whole number'],
    ['port: 1\nlimits: 7', 'x.yaml line 2, column 1: limits: '],
    ['port: 1\npair:\n  left: a', 'x.yaml line 2, column 1: pair.right: '],
    ['port: 1\n"po\\u0072d": 2', 'x.yaml line 2, column 1: unknown key "pord"; did you mean port?'],
    ['port: 1\n~: 2', 'x.yaml line 2, column 1: unknown key ""; did you mean'],
    ['port: 1\n__proto__: {port: 2}', 'x.yaml line 2, column 1: unknown key "__proto__"; did you mean'],
    ['port: &p 1\nlimits: {waiting: *p}', 'x.yaml line 2, column 19: expected the value itself, got the alias *p'],
    ['7', 'x.yaml line 1, column 1: expected keys and values, such as "port: …"'],
    ['[port]', 'x.yaml line 1, column 1: expected keys and values, such as "port: …"'],
  ])('%j is refused with %j', (text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  test('is read or refused with its place, whatever it holds', () => {
    const fragment = fc.constantFrom(
      'port',
      'limits',
      ': ',
      ':',
      '\n',
      '  ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      ',',
      '? ',
      '!!',
      '&a',
      '*a',
      '|',
      '"',
      '#',
      '\t',
      '1',
      '<<',
      '---',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fragment).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (written) => {
        try {
          parse(written)
        } catch (error) {
          expect((error as Error).message).toMatch(/^x\.yaml line [1-9]\d*, column [1-9]\d*: ./)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('that is nested without end is refused with its place', () => {
    for (const deep of ['['.repeat(20_000), '{a: '.repeat(20_000), '- '.repeat(20_000)])
      expect(() => parse(`port: 1\nlimits:\n ${deep}`)).toThrow(/^x\.yaml line/)
  })

  test.each([
    ['brackets within each other', `port: ${'['.repeat(17)}${']'.repeat(17)}`, 'line 1, column 1: expected fewer keys'],
    ['dashes within each other', `port: 1\npair:\n  ${'- '.repeat(34)}`, 'line 3, column 63: expected fewer keys'],
    ['keys', keys(20_000), 'column 1: expected a file of at most a thousand keys'],
    ['brackets that close nothing', ']'.repeat(20_000), 'expected a file of at most a thousand keys'],
    ['commas', `port: [${','.repeat(20_000)}`, 'expected a file of at most a thousand keys'],
  ])('of very many %s is refused before it is parsed', (_what, text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  test('a long key and a long value are cut in the message', () => {
    for (const text of [`${'k'.repeat(900)}: 1`, `a: !${'!'.repeat(5000)}`])
      expect(messageOf(() => parse(text)).length).toBeLessThan(400)
  })
})

describe('the nearest known word', () => {
  const word = fc.stringMatching(/^[a-z_]{1,8}$/)

  test('of a known one is itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1 }), fc.nat(), (known, at) => {
        const one = known[at % known.length] ?? ''
        expect(nearest(one, known)).toBe(one)
      }),
    )
  })

  test.each([
    ['waitng', 'waiting'],
    ['waitting', 'waiting'],
    ['wsiting', 'waiting'],
    ['prot', 'port'],
    ['file_s', 'files'],
  ])('of %s is %s', (written, meant) => {
    expect(nearest(written, ['files', 'waiting', 'host', 'port'])).toBe(meant)
  })
})
