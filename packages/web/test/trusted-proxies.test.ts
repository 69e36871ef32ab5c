import { expect, test } from 'vitest'
import { TrustedProxies } from '../src/server/accounts/trusted-proxies.ts'

test('servers in front are known by address and by network, of both kinds, as they are listed now', () => {
  const proxies = new TrustedProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1'])
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.9.8.7', 'fd12::1', '::1'])
    expect(proxies.has(address)).toBe(true)
  for (const address of ['127.0.0.2', '11.0.0.1', 'fe80::1', 'what a proxy made up', '', undefined])
    expect(proxies.has(address)).toBe(false)
  expect([proxies.believes('10.0.0.1', 0), proxies.believes('10.0.0.2', 1)]).toEqual([true, false])
  proxies.replace(['10.0.0.0/8'], 2)
  expect([proxies.believes('10.0.0.2', 1), proxies.believes('10.0.0.3', 2)]).toEqual([true, false])
  proxies.replace([])
  expect(proxies.has('127.0.0.1')).toBe(false)
})
