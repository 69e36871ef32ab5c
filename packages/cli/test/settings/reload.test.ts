import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Daemon, Limits } from '@origami/daemon'
import type { Web, WebLimits } from '@origami/web'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { configure } from '../../src/servers.ts'
import { rows } from '../../src/settings/file-schema.ts'
import { daemonLimits, webLimits } from '../../src/settings/limits.ts'
import { readSettings } from '../../src/settings/read-settings.ts'
import { reloadAtSighup, sighups } from '../../src/settings/reload.ts'

/** Another value than the default, as a person would write it; a list of times has the times of a time. */
function other(name: string): string {
  const row = rows.find((one) => one.name === name)
  const known = row?.default
  if (row === undefined) throw new Error(`no setting ${name}`)
  if (name === 'trusted_proxies') return '[10.0.0.0/8]'
  // This limit must stay below the longest silence that is allowed.
  if (name === 'limits.keep_alive') return '7s'
  if (name === 'limits.mirrors') return '[10.0.0.0/8]'
  if (name === 'limits.demo_network' || name === 'limits.build_network') return 'open'
  if (Array.isArray(known)) return '[7s, 9s]'
  if (row.kind.expected.startsWith('a part')) return '0.5'
  if (row.kind.expected.startsWith('a size')) return '3m'
  if (row.kind.expected.startsWith('a time')) return '17h'
  return '7'
}

const live = rows.filter((row) => row.live).map(({ name }) => name)

describe('SIGHUP', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'origami-reload-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const file = (name: string, value: string) =>
    writeFile(join(folder, 'origami.yaml'), `${name.replace(/^limits\./, 'limits:\n  ')}: ${value}\n`)
  const read = () => readSettings([{ name: 'data', written: folder, flag: '--data' }])

  /** The settings in force in running servers after they read this file at SIGHUP. */
  async function after(name: string, value: string) {
    const applied = {
      daemon: {} as Partial<Limits>,
      web: {} as Partial<WebLimits>,
      proxies: [] as readonly string[],
      hops: 0,
    }
    const daemon = { configure: (limits: Partial<Limits>) => void Object.assign(applied.daemon, limits) }
    const web = {
      configure: (limits: Partial<WebLimits>) => void Object.assign(applied.web, limits),
      trust(proxies: readonly string[], hops = 1) {
        Object.assign(applied, { proxies, hops })
      },
    }
    await writeFile(join(folder, 'origami.yaml'), '')
    const servers = { daemon: daemon as Daemon, web: web as Web }
    await using _reloading = await reloadAtSighup({
      heard: sighups(),
      verb: 'up',
      settings: await read(),
      read,
      apply: (settings) => configure(servers, settings),
    })
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    await file(name, value)
    process.emit('SIGHUP')
    await vi.waitFor(() => expect(logged).toHaveBeenCalled())
    logged.mockRestore()
    const record = JSON.parse(await readFile(join(folder, 'in-force/up.json'), 'utf8'))
    return { applied, record }
  }

  test('takes every limit, and each of the other settings that the operator is told it takes', async () => {
    const document = await readFile(join(import.meta.dirname, '../../../../docs/operator.md'), 'utf8')
    const documented = [...document.matchAll(/^\| `([\w.]+)` +\|.*\| +yes +\|/gm)].map(([, name]) => name)
    expect(live.filter((name) => !name.startsWith('limits.'))).toEqual(documented)
    expect(live.filter((name) => name.startsWith('limits.')).length).toBeGreaterThan(80)
  })

  test.each(live)('brings %s into the servers that have it', async (name) => {
    const { applied, record } = await after(name, other(name))
    const [before, now] = [await defaults(), await read()]
    expect(record).toMatchObject({ error: null, restart: [] })
    const shown = record.settings.find((setting: { name: string }) => setting.name === name)
    expect(shown.value).toBe(now.effective.find((setting) => setting.name === name)?.value)
    if (name === 'trusted_proxies') return expect(applied.proxies).toEqual(['10.0.0.0/8'])
    if (name === 'proxy_hops') return expect(applied.hops).toBe(7)
    let servers = 0
    for (const [server, table] of [
      ['daemon', daemonLimits],
      ['web', webLimits],
    ] as const)
      for (const [key, { name: limit }] of Object.entries(table)) {
        if (`limits.${limit}` !== name) continue
        servers += 1
        const [old, fresh] = [before.limits[server], applied[server]] as Record<string, unknown>[]
        expect(fresh?.[key], `${server} ${key}`).not.toEqual(old?.[key])
        expect(fresh?.[key]).toEqual((now.limits[server] as unknown as Record<string, unknown>)[key])
      }
    expect(servers).toBeGreaterThan(0)
  })

  test('that comes while a server starts ends nothing, and is heard once it runs', async () => {
    await writeFile(join(folder, 'origami.yaml'), '')
    using heard = sighups()
    const settings = await read()
    await file('limits.waiting', '7')
    process.emit('SIGHUP')
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    const applied = Promise.withResolvers<number>()
    await using _reloading = await reloadAtSighup({
      ...{ heard, verb: 'up', settings, read },
      apply: (next) => applied.resolve(next.limits.daemon.waiting),
    })
    expect(await applied.promise).toBe(7)
    await vi.waitFor(() => expect(logged).toHaveBeenCalled())
    logged.mockRestore()
  })

  async function defaults() {
    const text = await readFile(join(folder, 'origami.yaml'), 'utf8')
    await writeFile(join(folder, 'origami.yaml'), '')
    const settings = await read()
    await writeFile(join(folder, 'origami.yaml'), text)
    return settings
  }

  test.each(rows.filter((row) => !row.live && row.name !== 'data').map(({ name }) => name))(
    'says that %s needs a restart, and leaves it as it was',
    async (name) => {
      const values: Record<string, string> = {
        host: '127.0.0.2',
        port: '8001',
        daemon_port: '6002',
        engine: 'process',
        public_url: 'https://demos.example.org',
        forges: 'forges.json',
        deployers: '[github.com/ann]',
        private_networks: '[10.0.0.0/8]',
        allowed_hosts: '[demos.example.org]',
        trust_demos: 'true',
        isolation: 'runsc',
        unisolated: 'true',
        'daemon.host': '127.0.0.2',
        'daemon.url': 'https://gpu.example.org:6001',
        'daemon.certificates': 'keys',
      }
      const { record } = await after(name.replace('.', ':\n  '), values[name] ?? '')
      expect(record).toMatchObject({ error: null, restart: [name] })
    },
  )
})

test('no part of a server keeps a limit for itself when it is made: it would never hear of another', async () => {
  const root = join(import.meta.dirname, '../../..')
  const copies: string[] = []
  for await (const path of glob('{daemon,web}/src/**/*.ts', { cwd: root })) {
    const text = await readFile(join(root, path), 'utf8')
    for (const [line] of text.matchAll(/^ *(this\.\w+ = |private readonly \w+ = )[^(]*\blimits\.\w+.*$/gm))
      copies.push(`${path}: ${line.trim()}`)
  }
  expect(copies).toEqual([])
})
