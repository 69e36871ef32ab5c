import { describe, expect, test } from 'vitest'
import { nameserversIn } from '../../src/engine/docker/firewall/nameservers.ts'
import { type RulesAbout, rulesOf } from '../../src/engine/docker/firewall/rules.ts'
import { isSet, scriptThatRemoves, scriptThatSets } from '../../src/engine/docker/firewall/script.ts'

const owner = 'abcdefghijklmnopqrstuvwxyz'
const about: RulesAbout = { owner, unnamed: [], nameservers: ['10.0.0.53', 'fd00::53'] }
const others =
  '-P INPUT ACCEPT\n-N DOCKER-USER\n-N ORIGAMI-OTHERS\n-A INPUT -j ORIGAMI-OTHERS\n-A DOCKER-USER -j RETURN\n'

describe('rules of a firewall', () => {
  test('have names that the kernel takes, and match bridges of this state folder alone', () => {
    const builds = { bridge: 'docker0', mirrors: [], containers: [] }
    for (const family of ['ipv4', 'ipv6'] as const) {
      const rules = rulesOf({ ...about, builds }, family)
      for (const chain of rules.keys()) expect(chain.length).toBeLessThanOrEqual(28)
      const entries = [...(rules.get('ORIGAMI-abcdefgh') ?? []), ...(rules.get('ORIGAMI-abcdefgh-HOST') ?? [])]
      for (const rule of entries) expect(rule).toMatch(/^-[io] (o[nwo]abcde\+|docker0) /)
    }
  })

  test('let questions for names pass to the servers of this host, and nowhere else', () => {
    const dns = (family: 'ipv4' | 'ipv6') =>
      [...(rulesOf(about, family).get('ORIGAMI-abcdefgh-WEB') ?? [])].filter((rule) => rule.includes('--dport 53'))
    expect(dns('ipv4')).toEqual([
      '-d 10.0.0.53 -p udp -m udp --dport 53 -j RETURN',
      '-d 10.0.0.53 -p tcp -m tcp --dport 53 -j RETURN',
    ])
    expect(dns('ipv6').every((rule) => rule.includes('-d fd00::53 '))).toBe(true)
  })

  test('hold for a bridge that an earlier Origami made under no name of its own', () => {
    const rules = rulesOf({ ...about, unnamed: ['br-0123456789ab'] }, 'ipv4')
    expect(rules.get('ORIGAMI-abcdefgh')).toContain('-i br-0123456789ab -j ORIGAMI-abcdefgh-WEB')
  })

  test('are jumped to once, before what others have there, or from FORWARD where Docker has no chain for it', () => {
    const script = scriptThatSets(about, 'ipv4', others)
    expect(script).toContain('\n-I DOCKER-USER 1 -j ORIGAMI-abcdefgh\n-I INPUT 1 -j ORIGAMI-abcdefgh-HOST\n')
    const there = `${others}-A DOCKER-USER -j ORIGAMI-abcdefgh\n-A INPUT -j ORIGAMI-abcdefgh-HOST\n`
    expect(isSet(owner, others)).toBe(false)
    expect(isSet(owner, there)).toBe(true)
    expect(scriptThatSets(about, 'ipv4', there)).not.toContain('-I ')
    expect(scriptThatSets(about, 'ipv6', '-P INPUT ACCEPT\n')).toContain('-I FORWARD 1 -j ORIGAMI-abcdefgh\n')
  })

  test('are taken away without a word about those of others', () => {
    const there = `${others}-N ORIGAMI-abcdefgh\n-A INPUT -j ORIGAMI-abcdefgh-HOST\n`
    expect(scriptThatRemoves(owner, there)).toBe(
      '*filter\n-D INPUT -j ORIGAMI-abcdefgh-HOST\n:ORIGAMI-abcdefgh - [0:0]\n-X ORIGAMI-abcdefgh\nCOMMIT\n',
    )
    expect(scriptThatRemoves(owner, others)).toBeUndefined()
  })
})

test('the servers for names that a container asks itself are those that are not on loopback', () => {
  const text =
    'search lab\nnameserver 127.0.0.53\n nameserver 10.0.0.53 # lab\nnameserver ::1\nnameserver fd00::53\n# nameserver 8.8.8.8\n'
  expect(nameserversIn(text)).toEqual(['10.0.0.53', 'fd00::53'])
})
