import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addressOrNetwork,
  amount,
  choice,
  count,
  duration,
  forges,
  type Kind,
  list,
  network,
  origin,
  part,
  path,
  size,
  sizeOrNone,
  text,
  yesNo,
} from '../../src/settings/kinds.ts'

const read = <Value>(kind: Kind<Value>, written: unknown): Value => kind.read(written, '/srv')

describe('a size', () => {
  test.each([
    ['512k', 512 * 1024],
    ['1m', 1024 ** 2],
    ['1.5G', 1.5 * 1024 ** 3],
    ['2T', 2 * 1024 ** 4],
    ['0.001k', 1],
  ])('of %s is %d bytes', (written, bytes) => {
    expect(read(size, written)).toBe(bytes)
  })

  test.each(['0k', '12', 12, '-1k', '1kb', '1 k', 'k', '1e3k', '.5k', '99999999999t', '', null, ['1k'], true])(
    '%j is none',
    (written) => {
      const got = typeof written === 'string' ? written : JSON.stringify(written)
      expect(() => read(size, written)).toThrow(`expected a size such as 512k, 32m or 5g, got ${got}`)
    },
  )

  test('may be none where none is meant', () => {
    expect([read(sizeOrNone, '0'), read(sizeOrNone, 0), read(sizeOrNone, '1k')]).toEqual([0, 0, 1024])
    expect([sizeOrNone.write(0), sizeOrNone.write(1024)]).toEqual(['0', '1k'])
    for (const wrong of ['', ' ', null, false, '-0k']) expect(() => read(sizeOrNone, wrong)).toThrow('expected a size')
  })
})

describe('a time', () => {
  test.each([
    ['1ms', 1],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['12h', 43_200_000],
    ['24d', 2_073_600_000],
  ])('of %s is %d milliseconds', (written, milliseconds) => {
    expect(read(duration(), written)).toBe(milliseconds)
  })

  test('comes in the unit that its limit is in', () => {
    expect([read(duration('s'), '2m'), read(duration('h'), '2d'), read(duration('d'), '36h')]).toEqual([120, 48, 1.5])
  })

  test.each(['0s', '25d', '30', 30, '-1s', '1S', '1 s', 's', '1w', '', null, ['1s']])('%j is none', (written) => {
    expect(() => read(duration(), written)).toThrow(`expected a time such as 30s, 10m, 12h (at most 24d), got `)
  })

  test('of more than a hundred years is none, since dates end', () => {
    const days = read(duration('d'), '36500d')
    expect(new Date(Date.now() - days * 86_400_000).toISOString()).toMatch(/^19/)
    expect(() => read(duration('d'), '36501d')).toThrow('expected a time such as 30s, 10m, 12h or 30d (at most 36500d)')
  })
})

describe('a size or a time is read back as it is printed', () => {
  const written = (units: readonly string[], most: number) =>
    fc
      .tuple(fc.nat(most), fc.nat(999), fc.constantFrom(...units), fc.boolean())
      .map(([whole, thousandths, unit, isWhole]) =>
        isWhole ? `${whole}${unit}` : `${whole}.${String(thousandths).padStart(3, '0')}${unit}`,
      )

  test.each([
    ['size', size, written(['k', 'm', 'g', 't'], 8000)],
    ['time in milliseconds', duration(), written(['ms', 's', 'm', 'h', 'd'], 20)],
    ['time in seconds', duration('s'), written(['ms', 's', 'm', 'h', 'd'], 36_499)],
    ['time in days', duration('d'), written(['ms', 's', 'm', 'h', 'd'], 36_499)],
  ])('%s', (_what, kind: Kind<number>, texts) => {
    fc.assert(
      fc.property(texts, (written) => {
        fc.pre(/[1-9]/.test(written) && !/^0.*ms$/.test(written))
        const printed = kind.write(read(kind, written))
        expect(kind.write(read(kind, printed))).toBe(printed)
        expect(read(kind, printed)).toBeCloseTo(read(kind, written), 6)
      }),
    )
  })
})

describe('a number', () => {
  test.each([
    [count(), '1', 1],
    [count({ from: 0, to: 65_535 }), 65_535, 65_535],
    [amount, '0.5', 0.5],
    [part, 1, 1],
  ])('%# is taken', (kind, written, value) => {
    expect(read<number>(kind, written)).toBe(value)
  })

  test.each([
    [count(), 'a whole number from 1', [0, -1, 1.5, '', ' ', 'x', null, true, [1], 1_000_000_001]],
    [count({ from: 0, to: 9 }), 'a whole number from 0 to 9', [10, -1, Number.NaN]],
    [amount, 'a number above 0, such as 2 or 0.5', [0, '-1', 1_000_000_001, 'Infinity']],
    [part, 'a part above 0 and at most 1, such as 0.75', [0, 1.01, '75%']],
  ])('that is not %#', (kind, expected, wrong) => {
    for (const one of wrong) expect(() => read(kind, one), `${one}`).toThrow(`expected ${expected}, got `)
  })
})

describe('a network', () => {
  test.each(['10.0.0.0/8', '0.0.0.0/0', '192.168.1.1/32', 'fd00::/8', '::/128'])('%s', (written) => {
    expect([read(network, written), read(addressOrNetwork, written)]).toEqual([written, written])
  })

  test.each(['10.0.0.0/33', 'fd00::/129', '10.0.0/8', '10.0.0.0/', '/8', '10.0.0.0/-1', 'lab/8', '10.0.0.0/8/8', 8])(
    '%j is none',
    (written) => {
      expect(() => read(network, written)).toThrow('expected a network such as 10.0.0.0/8, got ')
      expect(() => read(addressOrNetwork, written)).toThrow('expected an address or a network')
    },
  )

  test('an address alone is one where addresses are taken', () => {
    expect(read(addressOrNetwork, '::1')).toBe('::1')
    expect(() => read(network, '::1')).toThrow('expected a network')
  })
})

describe('an origin', () => {
  const both = origin('http:', 'https:')

  test.each([
    ['https://Demos.Example.org', 'https://demos.example.org'],
    ['https://demos.example.org/', 'https://demos.example.org'],
    ['https://demos.example.org:443', 'https://demos.example.org'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
  ])('%s has one spelling', (written, canonical) => {
    expect(read(both, written)).toBe(canonical)
  })

  test.each([
    'https://x.org/path',
    'https://x.org/?q',
    'https://x.org/#h',
    'https://ann:pw@x.org',
    'ftp://x.org',
    'x.org',
    'https://',
    7,
  ])('%j is none', (written) => {
    expect(() => read(both, written)).toThrow('expected an address such as https://demos.example.org, without a path')
  })

  test.each(['https://ann:pw/x@x.org', 'ann:pw@x.org', 'https://ann:pw@x.org/path'])(
    'of %s is asked for without telling who it names',
    (written) => {
      expect(() => read(both, written)).toThrow(/, got (https:\/\/)?…@x\.org/)
      expect(() => read(both, written)).not.toThrow('pw')
    },
  )

  test('of TLS alone is asked for where secrets are told', () => {
    expect(() => read(origin('https:'), 'http://x.org')).toThrow('expected an address such as https://')
  })
})

describe('a list', () => {
  const small = list(count(), { atLeast: 1 })

  test('has commas between in the environment, and may be given one by one', () => {
    expect(read(small, '1, 2,,3 ')).toEqual([1, 2, 3])
    expect(read(small, ['1', 2])).toEqual([1, 2])
    expect(small.write([1, 2])).toBe('1, 2')
  })

  test('with one that is wrong says which', () => {
    expect(() => read(small, '1,x')).toThrow('expected a whole number from 1, got x')
  })

  test('that is no list, or too short, is none', () => {
    for (const wrong of [{}, 7, null, '', ' , ', []])
      expect(() => read(small, wrong)).toThrow('expected a list, each a whole number from 1, got')
  })

  test('of which every line is a comment is empty', () => {
    expect(read(list(count()), null)).toEqual([])
  })
})

describe('words and paths', () => {
  test('a path starts at its base', () => {
    expect([read(path, 'a/../b'), read(path, '/x')]).toEqual(['/srv/b', '/x'])
    for (const wrong of ['', 7, null]) expect(() => read(path, wrong)).toThrow('expected a path, got')
  })

  test('a choice is one of its words, exactly', () => {
    expect(read(choice('docker', 'process'), 'process')).toBe('process')
    for (const wrong of ['Docker', ' docker', '', null])
      expect(() => read(choice('docker', 'process'), wrong)).toThrow('expected docker or process, got')
  })

  test('true and false are written so, in quotes or not', () => {
    expect([read(yesNo, 'true'), read(yesNo, true), read(yesNo, 'false'), read(yesNo, false)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    for (const wrong of ['yes', 1, 0, '', null, ['true']])
      expect(() => read(yesNo, wrong)).toThrow('expected true or false, got')
  })

  test('a text fits its pattern', () => {
    expect(() => read(text('an address'), '')).toThrow('expected an address, got ')
    expect(() => read(text('an address'), 8)).toThrow('expected an address, got 8')
  })

  test('forges are listed, or stand in a file', () => {
    const entry = { host: 'git.lab', kind: 'folder' as const, git: 'file:///srv/git' }
    expect(read(forges, 'forges.json')).toBe('/srv/forges.json')
    expect(read(forges, [entry])).toEqual([entry])
    expect(forges.write([entry, { ...entry, host: 'b' }])).toBe('git.lab, b')
    for (const wrong of [[], [{ ...entry, colour: 'red' }], '', {}])
      expect(() => read(forges, wrong)).toThrow('expected a list of forges (host, kind, web, api, git), or the path')
  })
})
