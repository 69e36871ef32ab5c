import type { ForgeEntry } from '@origami/protocol/control'
import { describe, expect, test } from 'vitest'
import { pinnedAddresses } from '../../src/source/forge-addresses.ts'
import { SourceError } from '../../src/source/source.ts'

const forge = (git: string, networks?: string[]): ForgeEntry => ({
  host: 'code.test',
  kind: 'github',
  git,
  ...(networks && { networks }),
})
const at =
  (...addresses: string[]) =>
  async () =>
    addresses.map((address) => ({ address }))

describe('the addresses of a forge', () => {
  test.each([
    '127.0.0.1',
    '169.254.169.254',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '::1',
    '::ffff:127.0.0.1',
    '::127.0.0.1',
    'fd00:ec2::254',
    'fe80::1',
    '64:ff9b::7f00:1',
  ])('that are %s are refused, also beside a public one', async (address) => {
    const own = forge('https://code.test')
    for (const addresses of [[address], ['93.184.216.34', address]]) {
      const refusal = pinnedAddresses(own, {}, at(...addresses))
      await expect(refusal).rejects.toBeInstanceOf(SourceError)
      await expect(refusal).rejects.toThrow('code.test is not a public address; what an operator trusts')
    }
  })

  test('that are public are the only ones that git gets', async () => {
    const two = at('93.184.216.34', '2606:2800:220:1::1')
    expect(await pinnedAddresses(forge('https://code.test'), {}, two)).toBe(
      'code.test:443:93.184.216.34,[2606:2800:220:1::1]',
    )
    expect(await pinnedAddresses(forge('http://code.test:8080/git'), {}, two)).toMatch(/^code\.test:8080:93/)
    expect(await pinnedAddresses(forge('http://code.test'), {}, two)).toMatch(/^code\.test:80:93/)
  })

  test('that are in a network which the table names are taken', async () => {
    const own = forge('https://code.test', ['10.0.0.0/8', 'fd00::/8'])
    expect(await pinnedAddresses(own, {}, at('10.1.2.3', 'fd00::7'))).toBe('code.test:443:10.1.2.3,[fd00::7]')
    await expect(pinnedAddresses(own, {}, at('192.168.1.1'))).rejects.toThrow('is not a public address')
  })

  test.each([
    ['a folder', 'file:///srv/git', {}],
    ['an address that the operator wrote', 'http://10.1.2.3:8080', {}],
    ['an address that the operator wrote, in IPv6', 'http://[::1]:8080', {}],
    ['a name that a proxy looks up', 'https://code.test', { HTTPS_PROXY: 'http://proxy:3128' }],
  ])('are not looked up: %s', async (_what, git, environment) => {
    const never = async () => Promise.reject(new Error('looked up'))
    expect(await pinnedAddresses(forge(git), environment, never)).toBeUndefined()
  })

  test('a name without one is told, and one that cannot be asked for now too', async () => {
    const failing = (code: string) => async () => Promise.reject(Object.assign(new Error(code), { code }))
    const own = forge('https://code.test')
    await expect(pinnedAddresses(own, {}, at())).rejects.toThrow('code.test has no address')
    await expect(pinnedAddresses(own, {}, failing('EAI_AGAIN'))).rejects.toThrow('cannot be looked up at the moment')
  })
})
