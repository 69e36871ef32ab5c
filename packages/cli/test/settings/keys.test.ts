import { describe, expect, test } from 'vitest'
import { keys, quickstartData, standardOf } from '../../src/settings/keys.ts'

describe('a deployer', () => {
  test.each(['ann', 'github.com/ann', 'git.lab:8443/ann.b-c_d', 'Ann'])('%s', (handle) => {
    expect(keys.deployers.kind.read([handle], '/')).toEqual([handle])
  })

  test.each([
    '',
    '@ann',
    'github.com/',
    '/ann',
    'github.com/ann/digits',
    'https://github.com/ann',
    '-ann',
    'a b',
    'GitHub.com/ann',
  ])('%j is none', (handle) => {
    const read = () => keys.deployers.kind.read([handle, 'bob'], '/')
    // Nothing between two commas is no entry of the list.
    if (handle === '') expect(read()).toEqual(['bob'])
    else expect(read).toThrow(`expected forge/login, such as github.com/ann, got ${handle}`)
  })
})

test('what a setting is when nobody says it is written as a person would', () => {
  expect(standardOf('port')).toBe('8000')
  expect(standardOf('port', { port: 0 })).toBe('0')
  expect(standardOf('trust_demos')).toBe('false')
  expect(standardOf('deployers')).toBe('')
  expect(standardOf('public_url')).toBeUndefined()
})

test('a port may be any, 0 for one that is free', () => {
  expect([keys.port.kind.read('0', '/'), keys.port.kind.read(65_535, '/')]).toEqual([0, 65_535])
  expect(() => keys.port.kind.read(65_536, '/')).toThrow('expected a whole number from 0 to 65535, got 65536')
})

test('a trial has its state apart from that of the servers', () => {
  expect(quickstartData('/srv/origami')).toBe('/srv/origami/quickstart')
})
