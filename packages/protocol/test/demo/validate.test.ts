import { describe, expect, test } from 'vitest'
import {
  applyPart,
  componentNames,
  componentOf,
  type DemoSchema,
  demoSchema,
  fileRef,
  outputFields,
  parseFileRef,
  validateInput,
} from '../../src/demo/index.ts'

const field = (name: string, component: string, options = {}, rest = {}) => ({
  name,
  label: name,
  component,
  options,
  required: true,
  ...rest,
})

const schema: DemoSchema = demoSchema.parse({
  api: 1,
  title: 'All',
  description: '',
  inputs: [
    field('review', 'text', { maxLength: 5 }),
    field('count', 'number', { integer: true }),
    field('heat', 'slider', { min: 0, max: 1 }, { required: false, default: 0.5 }),
    field('loud', 'checkbox', {}, { required: false }),
    field('style', 'select', { choices: ['a', 'b'] }),
    field('picture', 'image'),
  ],
  outputs: [field('mood', 'label')],
  examples: [],
  streaming: false,
  concurrency: 1,
})

const good = { review: 'fine', count: 3, style: 'a', picture: fileRef('0123456789abcdef', 'cat.png') }

describe('an input', () => {
  test('that fits passes, with defaults filled in and null for what is absent', () => {
    expect(validateInput(schema, good)).toEqual({ problems: [], input: { ...good, heat: 0.5, loud: null } })
  })

  test.each([60, 61, 100_000])('of JSON nested %i deep is taken up to 60', (depth) => {
    const nested = JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    const taken = validateInput(demoSchema.parse({ ...schema, inputs: [field('any', 'json')] }), { any: nested })
    const problem = {
      field: 'any',
      type: 'value_error',
      message: expect.stringContaining('expected JSON nested at most 60 deep, got '),
    }
    expect(taken.problems).toEqual(depth > 60 ? [problem] : [])
  })

  test.each([
    [{ review: undefined }, 'review', 'Field required'],
    [{ review: null }, 'review', 'Field required'],
    [{ review: 5 }, 'review', 'expected text, got 5'],
    [{ review: 'too long' }, 'review', 'expected at most 5 characters, got "too long"'],
    [{ count: 1.5 }, 'count', 'expected a whole number, got 1.5'],
    [{ count: '3' }, 'count', 'expected a number, got "3"'],
    [{ heat: 2 }, 'heat', 'expected at most 1, got 2'],
    [{ heat: -1 }, 'heat', 'expected at least 0, got -1'],
    [{ loud: 'yes' }, 'loud', 'expected true or false, got "yes"'],
    [{ style: 'c' }, 'style', 'expected one of "a", "b", got "c"'],
    [{ picture: 'cat.png' }, 'picture', 'expected an image'],
    [{ picture: 'files/../x' }, 'picture', 'expected an image'],
    [{ colour: 1 }, 'colour', 'unknown field; this demo takes review, count, heat, loud, style, picture'],
  ])('%j is refused at the field: %s: %s', (change, name, message) => {
    const { problems } = validateInput(schema, { ...good, ...change })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ field: name })
    expect(problems[0]?.message).toContain(message)
  })

  test('may say null for what has a default, and for what need not be there', () => {
    expect(validateInput(schema, { ...good, heat: null, loud: null })).toEqual({
      problems: [],
      input: { ...good, heat: 0.5, loud: null },
    })
  })

  test('with many unknown fields is refused for ten, and told how many more there are', () => {
    const unknown = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`u${at}`, 1]))
    expect(validateInput(schema, { ...good, ...unknown(10) }).problems).toHaveLength(10)
    const { problems } = validateInput(schema, { ...good, ...unknown(12) })
    expect([problems.length, problems.at(-1)?.message]).toEqual([11, 'and 2 more unknown fields'])
  })

  test.each([
    [60, `"${'x'.repeat(60)}"`],
    [61, 'text of 61 characters'],
  ])('of %i characters where a number belongs is told as %s', (length, shown) => {
    const { problems } = validateInput(schema, { ...good, count: 'x'.repeat(length) })
    expect(problems[0]?.message).toBe(`expected a number, got ${shown}`)
  })

  test('with the names of Object.prototype is no trick', () => {
    expect(validateInput(schema, { ...good, toString: 1 }).problems[0]).toMatchObject({
      field: 'toString',
      type: 'value_error.extra',
    })
  })
})

test('every component of the registry carries its own name and refuses an unknown option', () => {
  for (const name of componentNames) {
    expect(componentOf(name).name).toBe(name)
    expect(componentOf(name).options.safeParse({ nonsense: true }).success).toBe(false)
  }
})

test('a file reference survives names of any script, and no path gets in', () => {
  expect(parseFileRef(fileRef('0123456789abcdef', 'Grüße 折り紙 .png'))?.name).toBe('Grüße 折り紙 .png')
  for (const text of [
    'files/0123456789abcdef/..',
    'files/0123456789abcdef/a%2Fb',
    'files/short/a',
    'files/0123456789abcdef/a/b',
    'x',
  ])
    expect(parseFileRef(text)).toBeUndefined()
})

test('parts of an output append or replace, and the single output is the bare value', () => {
  let fields = applyPart({}, { field: 'mood', mode: 'append', chunk: 'a', index: 0 })
  fields = applyPart(fields, { field: 'mood', mode: 'append', chunk: 'b', index: 1 })
  expect(fields).toEqual({ mood: 'ab' })
  expect(applyPart(fields, { field: 'mood', mode: 'replace', chunk: 'c', index: 2 })).toEqual({ mood: 'c' })
  expect(outputFields(schema, 'ab')).toEqual({ mood: 'ab' })
})
