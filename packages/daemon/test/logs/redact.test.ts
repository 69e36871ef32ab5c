import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact } from '../../src/logs/redact.ts'

const secret = 'A1b2C3d4E5f6G7h8I9j0'

test.each(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'glpat-', 'ori_'])(
  'a token that begins with %s is replaced, wherever in a line it stands',
  (kind) => {
    expect(redact(`fetching with ${kind}${secret}, then ${kind}${secret}.`)).toBe(
      'fetching with [token], then [token].',
    )
  },
)

test('what stands before the host of a URL is replaced, and the rest of the URL stays', () => {
  expect(redact('from https://ann:pass@code.test/ann/x and SSH://git@code.test:22/y')).toBe(
    'from https://[token]@code.test/ann/x and SSH://[token]@code.test:22/y',
  )
})

test.each([
  ['an address of mail', 'write to ann@code.test'],
  ['a URL with an @ in its path', 'https://code.test/@scope/name@1.0.0'],
  ['what only begins like a token', 'ghp_short and github_pat_short and ori_gami'],
  ['a token in the middle of a word', `xghp_${secret}`],
])('%s stays as it is', (_, line) => {
  expect(redact(line)).toBe(line)
})

test('a secret is never left, whatever stands around it', () => {
  const around = fc.string().filter((text) => !/\w/.test(text))
  fc.assert(
    fc.property(around, around, (before, after) => {
      expect(redact(`${before}ghp_${secret}${after}`)).not.toContain(secret)
    }),
  )
})
