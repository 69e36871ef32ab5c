import { expect, test } from 'vitest'
import { visitorId } from '../src/demo/index.ts'

test("a visitor's id is 1 to 200 characters; another is refused with what was expected", () => {
  expect(['a', 'x'.repeat(200)].map(visitorId)).toEqual(['a', 'x'.repeat(200)])
  for (const text of ['', 'x'.repeat(201)])
    expect(() => visitorId(text)).toThrow(`a visitor's id is 1 to 200 characters, got ${text.length}`)
})
