import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Forge, github, LinkError, parseRepoLink } from '../src/control/index.ts'

const forges: Forge[] = [github, { host: 'examples.origami', kind: 'folder', git: 'file:///srv/examples' }]

describe('a link to a repository', () => {
  test.each([
    'https://github.com/ann/digits',
    'https://github.com/Ann/Digits',
    'https://GitHub.com/ann/digits.git',
    'https://github.com/ann/digits/',
    'https://github.com/ann/digits.git/',
  ])('%s has one canonical spelling', (link) => {
    expect(parseRepoLink(link, forges).canonical).toBe('https://github.com/ann/digits')
  })

  test('of the folder forge is written the same way', () => {
    expect(parseRepoLink('https://examples.origami/origami/poet', forges)).toMatchObject({ owner: 'origami', name: 'poet' })
  })

  test.each(hostile())('%j is refused', (link) => {
    expect(() => parseRepoLink(link, forges)).toThrow(LinkError)
  })

  test('is refused or comes out as a plain https address, whatever was typed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((tail) => `https://github.com/${tail}`),
        ),
        (link) => {
          try {
            expect(parseRepoLink(link, forges).canonical).toMatch(
              /^https:\/\/(github\.com|examples\.origami)\/[a-z0-9][a-z0-9-]*\/[a-z0-9._-]+$/,
            )
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError)
          }
        },
      ),
    )
  })
})

function hostile(): string[] {
  const github = [
    'http://github.com/a/b',
    'ssh://github.com/a/b',
    'git://github.com/a/b',
    'git@github.com:a/b.git',
    'ext::sh -c touch% /tmp/p',
  ]
  const hosts = [
    'evil.com',
    'github.com.evil.com',
    'github.com@evil.com',
    'user:pass@github.com',
    '127.0.0.1',
    '2130706433',
    '[::1]',
    'localhost',
  ]
  const ports = ['https://github.com:443/a/b', 'https://github.com:8443/a/b']
  const paths = [
    '',
    'a',
    'a/b/c',
    '../a/b',
    'a/..',
    'a/.',
    'a/b?x=1',
    'a/b#x',
    'a/%2e%2e',
    '-a/b',
    'a/-b',
    '--upload-pack=x/b',
    'a b/c',
    'a/b c',
    'a//b',
    'a\\b/c',
  ]
  const characters = [
    'a/b\n',
    'a/b\u0000',
    'a/$(touch p)',
    'a/`id`',
    'a/b;id',
    'a/b|id',
    'a/b&c',
    "a/b'c",
    'a/"b"',
    'ä/b',
    'a/bé',
    'a/../../etc/passwd',
  ]
  return [
    ...github,
    ...ports,
    ...hosts.map((host) => `https://${host}/a/b`),
    ...[...paths, ...characters].map((path) => `https://github.com/${path}`),
    ...[
      'file:///etc/passwd',
      '/etc/passwd',
      './a',
      '--help',
      ' https://github.com/a/b',
      'https://github.com/a/b ',
      'HTTPS//github.com/a/b',
      'javascript:alert(1)',
    ],
  ]
}
