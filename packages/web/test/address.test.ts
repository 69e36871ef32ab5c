import { describe, expect, test } from 'vitest'
import { addressKey, CountsByAddress } from '../src/server/accounts/address.ts'

describe('the address of a caller', () => {
  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['what a proxy made up', 'what a proxy made up'],
  ])('%s is %s', (address, key) => expect(addressKey(address)).toBe(key))

  test('is counted up to a limit, each for itself', () => {
    const counts = new CountsByAddress(60_000, () => 10)
    const taken = (key: string) => counts.take(key, 2).isTaken
    expect([taken('a'), taken('a'), taken('a'), taken('b')]).toEqual([true, true, false, true])
    expect(counts.take('c', 0)).toMatchObject({ isTaken: false, left: 0 })
  })
})
