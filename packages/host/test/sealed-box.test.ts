import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SealedBox } from '../src/sealed-box.ts'

describe('a sealed box', () => {
  const root = randomBytes(32)
  const box = new SealedBox(root, 'tokens')
  const sealed = box.seal('gho_secret', 'row 1')

  it('gives back what was sealed for a row, and never shows it', () => {
    expect(box.unseal(sealed, 'row 1')).toBe('gho_secret')
    expect(sealed.toString('latin1')).not.toContain('gho_secret')
    expect(box.seal('gho_secret', 'row 1')).not.toEqual(sealed)
  })

  it('opens for no other row, purpose or key', () => {
    expect(() => box.unseal(sealed, 'row 2')).toThrow()
    expect(() => new SealedBox(root, 'cookies').unseal(sealed, 'row 1')).toThrow()
    expect(() => new SealedBox(randomBytes(32), 'tokens').unseal(sealed, 'row 1')).toThrow()
  })

  it('refuses what was changed or cut at any byte', () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(() => box.unseal(changed, 'row 1')).toThrow()
      expect(() => box.unseal(sealed.subarray(0, at), 'row 1')).toThrow()
    }
  })

  it('opens what the version of November 2026 sealed', () => {
    const sealed = '000102030405060708090a0b08793a271111f65c346274e575e0cd2c4522962fa3b530bcc33ae0f64bf0b0'
    const box = new SealedBox(Buffer.alloc(32, 7), 'origami tokens')
    expect(box.unseal(Buffer.from(sealed, 'hex'), 'dep_1')).toBe('gho_of_november')
  })
})
