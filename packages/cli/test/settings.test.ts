import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultLimits } from '@origami/daemon/config'
import { defaultLimits as webDefaults } from '@origami/web/config'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withTables } from '../../../scripts/limits-table.ts'
import { rows } from '../src/settings/file-schema.ts'
import { daemonLimits, webLimits } from '../src/settings/limits.ts'
import { type FlagSetting, readSettings, variableOf } from '../src/settings/read-settings.ts'
import { daemonVerb } from '../src/verbs/daemon.ts'
import { webVerb } from '../src/verbs/web.ts'

describe('settings', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-settings-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const data = () => ({ name: 'data', written: folder, flag: '--data' })
  const file = (text: string) => writeFile(join(folder, 'origami.yaml'), text)
  const one = async (name: string, ...flags: FlagSetting[]) =>
    (await readSettings([data(), ...flags])).effective.find((setting) => setting.name === name)

  /** The settings with a variable of the environment set. */
  async function withVariable<Result>(name: string, value: string, work: () => Promise<Result>): Promise<Result> {
    process.env[name] = value
    try {
      return await work()
    } finally {
      delete process.env[name]
    }
  }

  test('a flag wins over the environment, that over the file, that over the default; each says where it is from', async () => {
    await file('')
    expect(await one('limits.waiting')).toMatchObject({ value: '100', from: 'default' })
    await file('port: 8001\nlimits:\n  # more than usual\n  waiting: 200\n')
    expect(await one('limits.waiting')).toMatchObject({ value: '200', from: `${join(folder, 'origami.yaml')}:4` })
    await withVariable('ORIGAMI_LIMITS_WAITING', '300', async () => {
      expect(await one('limits.waiting')).toMatchObject({ value: '300', from: 'ORIGAMI_LIMITS_WAITING' })
      const flag = { name: 'limits.waiting', written: '400', flag: '--limit waiting' }
      expect(await one('limits.waiting', flag)).toMatchObject({ value: '400', from: '--limit waiting' })
    })
    expect(await one('port')).toMatchObject({ value: '8001' })
  })

  test('sizes and times are written as people write them, and reach each server in its own unit', async () => {
    await file('limits: { file: 1.5g, results: 36h, uploads: 2d, clone_time: 90s, revive_after: [1s, 2m] }')
    const { limits } = await readSettings([data()])
    expect(limits.daemon).toMatchObject({
      fileBytes: 1.5 * 1024 ** 3,
      resultDays: 1.5,
      uploadHours: 48,
      cloneMs: 90_000,
    })
    expect(limits.daemon.reviveAfterMs).toEqual([1000, 120_000])
    expect(limits.web.fileBytes).toBe(1.5 * 1024 ** 3)
  })

  test.each([
    ['trusted_proxies: [999.1.1.1]', 'an address or a network such as 10.0.0.0/8'],
    ['trusted_proxies: [10.0.0.0/99]', 'an address or a network such as 10.0.0.0/8'],
    ['private_networks: [10.0.0.0]', 'a network such as 10.0.0.0/8'],
    ["public_url: 'https://demos.example.org/x?y'", 'without a path'],
    ["daemon: { url: 'http://gpu.example.org:6001' }", 'https:'],
    ['limits: { retry_after: [] }', 'a list, each a time'],
  ])('what would break a server is refused: %s', async (text, expected) => {
    await file(text)
    await expect(readSettings([data()])).rejects.toThrow(expected)
    await rm(join(folder, 'origami.yaml'))
  })

  test('a section or a list of which every line is a comment is empty', async () => {
    await file('limits:\n  # waiting: 2\ndaemon:\ndeployers:\n  # - github.com/ann\n')
    const { limits, values } = await readSettings([data()])
    expect(limits.daemon.waiting).toBe(defaultLimits.waiting)
    expect(values.deployers).toEqual([])
  })

  test('networks of both kinds are taken', async () => {
    await file('trusted_proxies: [127.0.0.1, 10.0.0.0/8, "fd00::/8", "::1"]')
    expect((await readSettings([data()])).values.trusted_proxies).toEqual([
      '127.0.0.1',
      '10.0.0.0/8',
      'fd00::/8',
      '::1',
    ])
  })

  test('a file that the environment names must be there', async () => {
    await withVariable('ORIGAMI_CONFIG', join(folder, 'nowhere.yaml'), async () => {
      await expect(readSettings([data()])).rejects.toThrow('nowhere.yaml')
    })
  })

  test('without a file, every limit is its default', async () => {
    await rm(join(folder, 'origami.yaml'), { force: true })
    expect((await readSettings([data()])).limits).toEqual({ daemon: defaultLimits, web: webDefaults })
  })

  test('every setting can be read back as it is printed', () => {
    for (const { name, kind, default: standard } of rows) {
      if (standard === undefined) continue
      expect(kind.read(kind.write(standard), '/'), name).toEqual(standard)
    }
  })

  test('a limit that both servers have is one setting with one default', () => {
    const shared = Object.keys(webLimits).filter((key) => key in daemonLimits) as (keyof typeof webLimits &
      keyof typeof daemonLimits)[]
    expect(shared.length).toBeGreaterThan(0)
    for (const key of shared) {
      expect(webLimits[key]).toBe(daemonLimits[key])
      expect(webDefaults[key]).toBe(defaultLimits[key])
    }
  })

  test.each([
    ['port: 8000\nprot: 9', 'line 2, column 1: unknown key "prot"; did you mean port?'],
    ['limits:\n  waitng: 2', 'line 2, column 3: unknown key "waitng"; did you mean waiting?'],
    ['daemon:\n  - a', 'line 1, column 1: daemon: '],
    ['port: lots', 'line 1, column 1: port: expected a whole number from 0 to 65535, got lots'],
    ['port:', 'port: expected a whole number from 0 to 65535, got null'],
    ['limits: {output: 65m}', 'limits.output: expected a size such as 512k or 32m, at most 64m, got 65m'],
    ['limits: {file: 12}', 'limits.file: expected a size such as 512k, 32m or 5g, got 12'],
    ['limits: {round: 25d}', 'limits.round: expected a time such as 30s, 10m, 12h (at most 24d), got 25d'],
    ['limits: {waiting: -1}', 'limits.waiting: expected a whole number from 1, got -1'],
    ['limits: {waiting: 1.5}', 'limits.waiting: expected a whole number from 1, got 1.5'],
    [
      'limits: {running_per_demo: 1.5}',
      'limits.running_per_demo: expected a part above 0 and at most 1, such as 0.75, got 1.5',
    ],
    ['private_networks: [lab]', 'private_networks: expected a network such as 10.0.0.0/8, got lab'],
    ['public_url: demos', 'public_url: expected an address such as https://demos.example.org'],
    ['forges: [{host: x}]', 'forges: expected a list of forges'],
    ['port: 1\nport: 2', 'line 2'],
    [
      'limits: &a {}\ndaemon: *a',
      'line 2, column 9: expected the value itself, got the alias *a; write out what it stands for',
    ],
    ['limits:\n  # waiting: 2\n  waitng: 3', 'unknown key "waitng"; did you mean waiting?'],
    ['limits:\n  retry_after:', 'a list, each a time'],
    ['port: 1\n---\nport: 2', 'line 2, column 1: expected one document, got another after ---'],
    [`limits: ${'['.repeat(50_000)}`, 'expected fewer keys and lists within each other'],
    [`port: ${'x'.repeat(5_000)}`, `got ${'x'.repeat(199)}…`],
    [
      'forges: [{host: a.org, kind: folder, git: "file:///a"}, {host: a.org, kind: folder, git: "file:///b"}]',
      '1.host: expected each host once, got a.org again',
    ],
    ['forges: [{host: a.org, kind: github, git: "ftp://a.org"}]', '0.git: '],
    ['port: [', 'line 1'],
    ['- port', 'expected keys and values'],
  ])('%j is refused with %j', async (text, message) => {
    await file(text)
    await expect(readSettings([data()])).rejects.toThrow(message)
    await expect(readSettings([data()])).rejects.toThrow(join(folder, 'origami.yaml'))
  })

  test('a variable that names no limit, and one that is no number, say so', async () => {
    await file('')
    await withVariable('ORIGAMI_LIMITS_WAITNG', '3', () =>
      expect(readSettings([data()])).rejects.toThrow('did you mean ORIGAMI_LIMITS_WAITING?'),
    )
    await withVariable('ORIGAMI_PORT', 'x', () =>
      expect(readSettings([data()])).rejects.toThrow('ORIGAMI_PORT: expected a whole'),
    )
  })

  test('no flag tells of itself in its help which verb it is of', () => {
    for (const verb of [daemonVerb(), webVerb()])
      expect(verb.helpInformation()).not.toMatch(/the flag is that|`origami (daemon|web)` finds/)
  })

  test('a silence that is shorter than the time between two signs of the daemon is refused', async () => {
    await file('limits: {silence: 10s}')
    await expect(readSettings([data()])).rejects.toThrow(
      'limits.silence: expected more than limits.keep_alive, which is 15s, got 10s',
    )
    await file('limits: {silence: 10s, keep_alive: 3s}')
    expect((await readSettings([data()])).limits.web.silenceMs).toBe(10_000)
  })

  test('a file that is no UTF-8 is refused, and not read as something else', async () => {
    await writeFile(join(folder, 'origami.yaml'), Buffer.from('host: \xe9', 'latin1'))
    await expect(readSettings([data()])).rejects.toThrow('origami.yaml: expected text in UTF-8, got other bytes')
    await writeFile(join(folder, 'origami.yaml'), Buffer.from('\ufeffport: 8001\r\nlimits:\r\n  waiting: 3\r\n'))
    expect((await readSettings([data()])).values.port).toBe(8001)
  })

  test('a file that was named must be there, and be a file', async () => {
    await expect(readSettings([data()], join(folder, 'none.yaml'))).rejects.toThrow('cannot read')
    await expect(readSettings([data()], folder)).rejects.toThrow('cannot read')
  })

  test('paths in a file start at its folder', async () => {
    await file('daemon: {certificates: keys}\nforges: forges.json')
    const { values } = await readSettings([data()])
    expect(values['daemon.certificates']).toBe(join(folder, 'keys'))
    expect(values.forges).toBe(join(folder, 'forges.json'))
  })

  test('no two settings share a variable', () => {
    expect(new Set(rows.map(({ name }) => variableOf(name))).size).toBe(rows.length)
  })
})

test('docs/operator.md has every setting and every limit with its default (npm run limits-table writes it)', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/operator.md'), 'utf8')
  const plain = (markdown: string) => markdown.replaceAll(/ +|-{3,}/g, ' ')
  expect(plain(text)).toBe(plain(withTables(text)))
})
