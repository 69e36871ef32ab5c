import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fileRef,
  isDemoId,
  isDeploymentId,
  isPredictionId,
  isVisitorId,
  newPredictionId,
  parseFileRef,
  randomId,
  visitorId,
} from '../../src/demo/ids.ts'

describe('an id', () => {
  test('that we make is one of a deployment and of a prediction, and uses its whole alphabet evenly', () => {
    const ids = Array.from({ length: 2000 }, () => randomId())
    expect(ids.every((id) => isDeploymentId(id) && isPredictionId(id))).toBe(true)
    expect(isPredictionId(newPredictionId())).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
    const counts = Map.groupBy([...ids.join('')], (letter) => letter)
    expect(counts.size).toBe(32)
    // The expected number of each is 1625, with a standard deviation of 40.
    for (const [letter, found] of counts) expect(Math.abs(found.length - 1625), letter).toBeLessThan(400)
  })

  test.each([
    ['a demo', isDemoId, '0123456789abcdef0123456789abcdef'],
    ['a deployment', isDeploymentId, 'abcdefghijklmnopqrstuvwx27'],
    ['a prediction', isPredictionId, 'Az09_-Az'],
  ])(
    'of %s is refused with anything beside it, and when it is too short',
    (_what, is: (text: string) => boolean, id) => {
      expect(is(id)).toBe(true)
      for (const wrong of [`${id}\n`, ` ${id}`, `${id}/`, `${id}.`, id.slice(1), `é${id.slice(1)}`, ''])
        expect(is(wrong), JSON.stringify(wrong)).toBe(false)
    },
  )

  test('has its longest', () => {
    expect([isPredictionId('x'.repeat(64)), isPredictionId('x'.repeat(65))]).toEqual([true, false])
    expect([isVisitorId('x'.repeat(200)), isVisitorId('x'.repeat(201)), isVisitorId('')]).toEqual([true, false, false])
  })
})

describe('a reference of a file', () => {
  const id = 'abcdefghijklmnop'
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a name has none
    .filter((text) => !/^\.{1,2}$|[/\\\u0000-\u001f\u007f]/.test(text) && text.isWellFormed())

  test('is taken apart into what it was made of, and stands in an address as it is', () => {
    fc.assert(
      fc.property(name, (written) => {
        const ref = fileRef(id, written)
        expect(parseFileRef(ref)).toEqual({ id, name: written, ref })
        expect(new URL(ref, 'http://x/predictions-api/').pathname).toBe(`/predictions-api/${ref}`)
      }),
    )
  })

  test('of any text is none, or leads to one file of one folder', () => {
    const tail = fc.oneof(fc.string({ unit: 'binary' }), fc.string().map(encodeURIComponent))
    fc.assert(
      fc.property(tail, (text) => {
        const parsed = parseFileRef(`files/${id}/${text}`)
        if (parsed) expect(parseFileRef(parsed.ref)).toEqual(parsed)
        expect(parsed?.name ?? 'none').not.toMatch(/^\.{0,2}$|[/\\\0]/)
      }),
    )
  })

  test.each([
    '',
    'files',
    `files/${id}`,
    `files/${id}/`,
    `/files/${id}/a.png`,
    `files/${id}/a/b`,
    `files/${id}/..`,
    `files/${id}/%2e%2e`,
    `files/${id}/%2Fetc%2Fpasswd`,
    `files/${id}/a%5Cb`,
    `files/${id}/a%00`,
    `files/${id}/%`,
    `files/${id}/%ff`,
    `files/${id.slice(1)}/a.png`,
    `files/../${id}`,
    `https://x/files/${id}/a.png`,
  ])('%j is none', (text) => {
    expect(parseFileRef(text)).toBeUndefined()
  })

  test('cannot be made of what would lead elsewhere', () => {
    for (const wrong of ['', '.', '..', 'a/b', 'a\\b', 'a\n', 'x'.repeat(201)])
      expect(() => fileRef(id, wrong)).toThrow('a file name is 1 to 200 characters without / or \\, got')
    for (const wrong of ['', 'short', `${id}/..`, 'x'.repeat(65)])
      expect(() => fileRef(wrong, 'a.png')).toThrow('a file id is 16 to 64 of A-Z a-z 0-9 _ -, got')
  })

  test('has names of up to 200 characters', () => {
    expect(parseFileRef(fileRef(id, 'x'.repeat(200)))?.name).toHaveLength(200)
  })

  test('cannot be made of half a character', () => {
    expect(() => fileRef(id, 'a\ud800')).toThrow(RangeError)
  })
})

test("a visitor's id is 1 to 200 characters; another is refused with what was expected", () => {
  expect(['a', 'x'.repeat(200)].map(visitorId)).toEqual(['a', 'x'.repeat(200)])
  for (const text of ['', 'x'.repeat(201)])
    expect(() => visitorId(text)).toThrow(`a visitor's id is 1 to 200 characters, got ${text.length}`)
})
