import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ForgeEntry, forgesSchema, gitAddress, github, LinkError, parseRepoLink } from '../../src/control/index.ts'

const forges: ForgeEntry[] = [github, { host: 'examples.origami', kind: 'folder', git: 'file:///srv/examples' }]

test('a table of forges has one at least, and each host once', () => {
  expect(forgesSchema.parse(forges)).toEqual(forges)
  expect(forgesSchema.safeParse([]).success).toBe(false)
  const { error } = forgesSchema.safeParse([...forges, { ...github, api: 'https://api.example' }])
  expect(error?.issues).toMatchObject([{ path: [2, 'host'], message: 'expected each host once, got github.com again' }])
})

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
    expect(parseRepoLink('https://examples.origami/origami/poet', forges)).toMatchObject({
      owner: 'origami',
      name: 'poet',
    })
  })

  test.each([
    ['https://examples.origami/lab/vision/Digits.git/', 'lab/vision', 'digits'],
    [`https://examples.origami/${'a/'.repeat(20)}b`, 'a/'.repeat(20).slice(0, -1), 'b'],
  ])('goes deeper at a kind of forge that has groups: %s', (link, owner, name) => {
    const repo = parseRepoLink(link, forges)
    expect(repo).toMatchObject({ owner, name, canonical: `https://examples.origami/${owner}/${name}` })
    expect(gitAddress(repo)).toBe(`file:///srv/examples/${owner}/${name}.git`)
  })

  test.each([
    'a/../b',
    'a//b',
    '../a/b',
    'a/-b/c',
    'a/.b/c',
    'a/b/..',
    'a/b/-c',
    `${'a/'.repeat(21)}b`,
    'a',
    'a/b/.git/..',
  ])('%s is refused there too', (path) => {
    expect(() => parseRepoLink(`https://examples.origami/${path}`, forges)).toThrow(LinkError)
  })

  test.each([
    ['https://github.com/Ann/Digits.git', '9e9a72817d1291f9b63d243abe6f9732'],
    ['https://examples.origami/origami/poet', 'c937fa12a3e10af0f8ea10122de174bc'],
    ['https://github.com/a/.git', '0141e93c78948812ca1999d23d10940c'],
    ['https://github.com/a/b.git.git', '45abe5daa2a837fed69d23b6d9f24f26'],
  ])('%s names the demo that it always named', (link, id) => {
    expect(demoId(parseRepoLink(link, forges).canonical)).toBe(id)
  })

  const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/)
  const end = fc.constantFrom('', '/', '.git', '.git/', '.git.git', '/.git')
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'))

  test('of two names leads to the demo that it led to since the first version', () => {
    const host = fc.constantFrom('github.com', 'GitHub.com', 'examples.origami')
    const link = fc
      .tuple(host, segment, segment, end)
      .map(([at, owner, name, tail]) => `https://${at}/${owner}/${name}${tail}`)
    fc.assert(
      fc.property(link, (one) => {
        fc.pre(firstDemoOf(one) !== undefined)
        expect(demoOf(one)).toBe(firstDemoOf(one))
      }),
    )
  })

  test('at github.com is refused now when it was refused then', () => {
    const tail = fc.oneof(
      fc.tuple(path, end).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    )
    const link = tail.map((written) => `https://github.com/${written}`)
    fc.assert(fc.property(link, (one) => void expect(demoOf(one)).toBe(firstDemoOf(one))))
  })

  test.each([
    ['https://github.com/ann', 'expected https://github.com/owner/name'],
    [
      'https://evil.com/a/b',
      'evil.com is not in the table of forges; expected https://github.com/owner/name or https://exa',
    ],
    ['ann/digits', 'expected https://github.com/owner/name or https://examples.origami/owner/name'],
  ])('%s is refused with what was expected', (link, expected) => {
    expect(() => parseRepoLink(link, forges)).toThrow(expected)
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
              /^https:\/\/(github\.com|examples\.origami(\/[a-z0-9][a-z0-9-]*)*)\/[a-z0-9][a-z0-9-]*\/[a-z0-9._-]+$/,
            )
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError)
          }
        },
      ),
    )
  })
})

const demoId = (canonical: string): string => createHash('md5').update('ann').update(canonical).digest('hex')

function demoOf(link: string): string | undefined {
  try {
    return demoId(parseRepoLink(link, forges).canonical)
  } catch (error) {
    expect(error).toBeInstanceOf(LinkError)
    return undefined
  }
}

/** The grammar by which the first demos were named, and all since: stored ids are made of what it answers. */
function firstDemoOf(link: string): string | undefined {
  const first =
    /^https:\/\/([A-Za-z0-9.-]{1,253})\/([A-Za-z0-9][A-Za-z0-9-]{0,99})\/([A-Za-z0-9._-]{1,100}?)(?:\.git)?\/?$/
  const [, host, owner, name = ''] = first.exec(link)?.map((part) => part.toLowerCase()) ?? []
  if (!forges.some((entry) => entry.host === host) || /^\.+$/.test(name) || name.startsWith('-')) return undefined
  return demoId(`https://${host}/${owner}/${name}`)
}

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
