import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

describe('who a caller is', () => {
  let world: World
  let ann: Person

  beforeAll(async () => {
    world = await World.start({
      engine: 'process',
      limits: { visitorsPerAddress: 3 },
      web: { trustedProxies: ['127.0.0.0/8'] },
    })
    ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann'))
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  /** A program at an address that keeps no cookies, or sends one. */
  const from = (address: string, path: string, init: RequestInit = {}, cookie = '') =>
    fetch(world.url + path, {
      ...init,
      headers: {
        'x-forwarded-for': address,
        ...(cookie ? { cookie } : {}),
        ...(init.headers as Record<string, string>),
      },
    })
  const submit = async (address: string, word: string, cookie?: string) => {
    const headers = { 'content-type': 'application/json', prefer: 'respond-async' }
    const body = JSON.stringify({ input: { word, gate: join(world.folder, 'visitors-gate') } })
    return (await (
      await from(address, '/ann/gated/predictions', { method: 'POST', headers, body }, cookie)
    ).json()) as {
      id: string
      error?: string
    }
  }

  test('without a cookie: its address, of IPv6 its /64; with the cookie that it was given: itself', async () => {
    const page = await from('203.0.113.7', '/ann/gated')
    const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const made = [
      await submit('203.0.113.7', 'a'),
      await submit('::ffff:203.0.113.7', 'b'),
      await submit('2001:db8:1:2::1', 'c'),
      await submit('2001:db8:1:2::ffff', 'd'),
      await submit('2001:db8:1:3::1', 'e'),
      await submit('203.0.113.7', 'f', cookie),
    ]
    const { entries } = await vi.waitFor(async () => {
      const view = await ann.call('GET /-/api/demos/:account/:name/queue', {
        params: { account: 'ann', name: 'gated' },
      })
      expect(view.entries).toHaveLength(6)
      return view
    })
    const [a, b, c, d, e, f] = made.map(({ id }) => entries.find((entry) => entry.id === id)?.visitor)
    expect([a, c, e].every((one) => /^ip-[\w-]{22}$/.test(one ?? ''))).toBe(true)
    expect(f).toMatch(/^v-/)
    expect([a === b, c === d, new Set([a, c, e, f]).size]).toEqual([true, true, 4])
    const results = await from('203.0.113.7', '/-/api/demos/ann/gated/results')
    expect(await results.json()).toEqual({ predictions: [] })
  })

  test('its owner cancels what is any of theirs, and empties the queue; nobody else does', async () => {
    const gated = { params: { account: 'ann', name: 'gated' } }
    const queue = '/-/api/demos/ann/gated/queue'
    const { entries } = await ann.call('GET /-/api/demos/:account/:name/queue', gated)
    const running = entries.find(({ status }) => status === 'processing')?.id ?? ''
    const bob = await world.person('bob')
    for (const [method, path] of [
      ['GET', queue],
      ['DELETE', queue],
      ['POST', `${queue}/${running}/cancel`],
    ] as const)
      expect(await bob.status(method, path)).toBe(404)
    await ann.call('DELETE /-/api/demos/:account/:name/queue', gated)
    expect(await ann.status('POST', `${queue}/${running}/cancel`, {})).toBe(200)
    await vi.waitFor(async () =>
      expect((await ann.call('GET /-/api/demos/:account/:name/queue', gated)).entries).toEqual([]),
    )
    expect(await ann.status('POST', `${queue}/nobody-has-this/cancel`, {})).toBe(404)
  })

  test('many cookies from one address get no more places than one address may have, and others find theirs', async () => {
    await submit('203.0.113.11', 'runs')
    const view = () => ann.call('GET /-/api/demos/:account/:name/queue', { params: { account: 'ann', name: 'gated' } })
    await vi.waitFor(async () => expect(await view()).toMatchObject({ running: 1 }))
    const cookies = []
    for (let time = 0; time < 3; time += 1)
      cookies.push((await from('203.0.113.10', '/')).headers.getSetCookie()[0]?.split(';')[0] ?? '')
    const calls = cookies.flatMap((cookie) => Array.from({ length: 25 }, () => cookie))
    const answers = await Promise.all(calls.map((cookie) => submit('203.0.113.10', 'many', cookie)))
    const errors = answers.flatMap(({ error }) => error ?? [])
    expect([
      answers.length - errors.length,
      new Set(errors.map((text) => text.replace(/^\d+ /, '').slice(0, 30))),
    ]).toEqual([50, new Set(['predictions of yours wait for ', 'predictions from your address '])])
    expect((await submit('203.0.113.11', 'other')).id).toEqual(expect.any(String))
    await ann.call('DELETE /-/api/demos/:account/:name/queue', { params: { account: 'ann', name: 'gated' } })
  }, 60_000)

  test('what a visitor names as their own address counts for nothing, also in the network of the proxies', async () => {
    world.configure({ visitorsPerAddress: 1e6, requestsPerMinute: 20 })
    const seen = new Set<number>()
    for (let time = 0; time < 30; time += 1)
      seen.add((await from(`203.0.113.${time}, 127.0.0.${9}`, `/-/api/nothing-${time}`)).status)
    world.configure({ visitorsPerAddress: 3 })
    expect(seen).toEqual(new Set([404, 429]))
  })

  test('an address gets so many cookies an hour, and is itself beyond', async () => {
    const cookieCounts: number[] = []
    for (let time = 0; time < 5; time += 1)
      cookieCounts.push((await from('203.0.113.8', '/')).headers.getSetCookie().length)
    expect(cookieCounts).toEqual([1, 1, 1, 0, 0])
    expect((await from('203.0.113.9', '/')).headers.getSetCookie()).toHaveLength(1)
  })

  test('of a token its use is written at most once an hour; sessions that are too old are forgotten', async () => {
    const { token } = await ann.call('POST /-/api/tokens', { body: { name: 'reader' } })
    const ask = () => fetch(`${world.url}/-/api/mine`, { headers: { authorization: `Bearer ${token}` } })
    await ask()
    const first = rows('SELECT used_at FROM tokens')
    await ask()
    expect(rows('SELECT used_at FROM tokens')).toEqual(first)
    const before = rows('SELECT hash FROM sessions').length
    await world.stopWeb()
    const db = new Database(join(world.folder, 'web/web.db'))
    db.exec(
      "UPDATE sessions SET created_at = '2020-01-01T00:00:00.000Z' WHERE rowid = (SELECT min(rowid) FROM sessions)",
    )
    db.close()
    await world.startWeb()
    await vi.waitFor(() => expect(rows('SELECT hash FROM sessions')).toHaveLength(before - 1))
  })

  function rows(sql: string): unknown[] {
    const db = new Database(join(world.folder, 'web/web.db'), { readonly: true })
    try {
      return db.prepare(sql).all()
    } finally {
      db.close()
    }
  }
})
