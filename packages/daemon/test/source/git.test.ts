import { forgeKinds, forgeTraits, type RepoLink } from '@origami/protocol/control'
import { describe, expect, test } from 'vitest'
import { gitEnvironment } from '../../src/source/git.ts'

describe('what git is told', () => {
  const repoOf = (kind: RepoLink['forge']['kind']): RepoLink => ({
    forge: { host: 'code.test', kind, git: 'https://git.code.test:8443/all' },
    owner: 'lab/vision',
    name: 'digits',
    canonical: 'https://code.test/lab/vision/digits',
  })
  const withTokens = forgeKinds.filter((kind) => forgeTraits[kind].gitUser !== null)
  const without = forgeKinds.filter((kind) => forgeTraits[kind].gitUser === null)

  test.each(withTokens)('of a token for a forge of kind %s: its user name, for the address of git alone', (kind) => {
    const environment = gitEnvironment(repoOf(kind), 'the token', '/home/of/git', {})
    const { ORIGAMI_GIT_TOKEN: token, ...rest } = environment
    expect(token).toBe('the token')
    expect(Object.values(rest).filter((value) => value.includes('the token'))).toEqual([])
    const names = Object.entries(rest).filter(([, value]) => /^credential\..+\.helper$/.test(value))
    expect(names.map(([, value]) => value)).toEqual(['credential.https://git.code.test:8443.helper'])
    const helper = rest[names[0]?.[0].replace('KEY', 'VALUE') ?? '']
    expect(helper).toContain(`username=${forgeTraits[kind].gitUser}\\n`)
  })

  test.each(
    [...without, ...withTokens].map((kind) => [kind, without.includes(kind) ? 'the token' : undefined] as const),
  )('for a forge of kind %s of no token, when it is given %s', (kind, token) => {
    const environment = gitEnvironment(repoOf(kind), token, '/home/of/git', {})
    expect(Object.values(environment).filter((value) => /the token|credential\../.test(value))).toEqual([
      'credential.helper',
    ])
    expect(environment).not.toHaveProperty('ORIGAMI_GIT_TOKEN')
  })

  test("of the daemon's environment: the way to programs, the proxy and the authorities, and nothing else", () => {
    const inherited = { PATH: '/bin', HTTPS_PROXY: 'http://proxy', SSL_CERT_FILE: '/ca.pem', SOMEBODYS_TOKEN: 'canary' }
    const environment = gitEnvironment(repoOf(forgeKinds[0]), undefined, '/home/of/git', inherited)
    expect(environment).toMatchObject({ PATH: '/bin', HTTPS_PROXY: 'http://proxy', GIT_SSL_CAINFO: '/ca.pem' })
    expect(JSON.stringify(environment)).not.toContain('canary')
  })
})
