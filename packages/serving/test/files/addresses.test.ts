import { fileRef } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { fileAddress, refOf } from '../../src/files/addresses.ts'

const ref = fileRef('0123456789abcdef', 'a cat.png')
const base = 'https://lab.test/ann/digits'

test('a reference given out as an address is the same reference when it comes back, with a base and without', () => {
  expect(fileAddress(base, ref)).toBe('https://lab.test/ann/digits/files/0123456789abcdef/a%20cat.png')
  for (const at of ['', base]) expect(refOf(at, fileAddress(at, ref))).toBe(ref)
  expect(refOf(base, ref)).toBe(ref)
})

test('however its name was encoded, a reference is spelled one way', () => {
  expect(refOf(base, 'files/0123456789abcdef/a cat.png')).toBe(ref)
  expect(refOf(base, `${base}/files/0123456789abcdef/%61%20cat.png`)).toBe(ref)
})

test('what stands under another base, or deeper, is no reference', () => {
  for (const text of [`${base}er/${ref}`, `${base}/predictions/${ref}`, `https://elsewhere.test/${ref}`, `/${ref}`, ''])
    expect(refOf(base, text)).toBeUndefined()
  expect(refOf('', `/${ref}`)).toBeUndefined()
})
