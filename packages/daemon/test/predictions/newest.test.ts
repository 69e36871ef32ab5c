import { expect, test } from 'vitest'
import { Newest } from '../../src/predictions/newest.ts'

test('as many are kept as fit, the newest of them', () => {
  const newest = new Newest<string, number>(10)
  for (const [index, key] of ['a', 'b', 'c'].entries()) newest.set(key, index, 4)
  expect(['a', 'b', 'c'].map((key) => newest.get(key))).toEqual([undefined, 1, 2])
  newest.set('large', 3, 11)
  expect(['b', 'c', 'large'].map((key) => newest.get(key))).toEqual([undefined, undefined, undefined])
})

test('what was set again counts once, and what was deleted leaves its room', () => {
  const newest = new Newest<string, number>(10)
  for (const value of [1, 2, 3]) newest.set('a', value, 5)
  newest.set('b', 4, 5)
  expect([newest.get('a'), newest.get('b')]).toEqual([3, 4])
  newest.delete('a')
  newest.set('c', 5, 5)
  expect([newest.get('a'), newest.get('b'), newest.get('c')]).toEqual([undefined, 4, 5])
})
