import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from './person.ts'
import { World } from './world.ts'

describe('requests that nobody should send', () => {
  let world: World
  let ann: Person

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  const ask = async (path: string) => {
    const answer = await fetch(world.url + path, { redirect: 'manual' })
    return {
      status: answer.status,
      body: (await answer.json().catch(() => undefined)) as { error?: string } | undefined,
    }
  }

  test('a query that says the same name twice is as one that does not say it', async () => {
    expect((await ask('/-/sign-in/github.test?return=/a&return=/b')).status).toBe(302)
    expect(await ask('/-/callback/github.test?state=a&state=b')).toEqual({
      status: 422,
      body: { error: 'This sign-in was not begun in this browser, or too long ago; begin again.' },
    })
  })

  test('what comes to no route is refused in the form of every error', async () => {
    for (const [path, status] of [
      ['/-/api/accounts/%zz', 400],
      [`/-/api/accounts/${'a'.repeat(501)}`, 414],
      [`/${'a'.repeat(20_000)}`, 431],
    ] as const)
      expect(await ask(path)).toEqual({ status, body: { error: expect.stringMatching(/^expected /) } })
  })

  test.each(['offset=soon', 'offset=-1', 'offset=1.5', 'offset=9007199254740991', 'offset=1&offset=2'])(
    'of a log, %s is refused by its name',
    async (query) => {
      const answer = await ann.fetch(`/-/api/demos/ann/none/logs?${query}`)
      expect([answer.status, await answer.json()]).toEqual([422, { error: 'offset: expected a whole number from 0' }])
    },
  )

  test('an event that is no number is refused by the daemon, by the name of its header', async () => {
    const tls = (name: string) => readFile(join(world.folder, 'web/tls', name))
    const connect = { ca: await tls('ca.pem'), cert: await tls('cert.pem'), key: await tls('key.pem') }
    const dispatcher = new Agent({ connect })
    const asked = { dispatcher, headers: { 'last-event-id': 'soon' } }
    const { statusCode, body } = await request(`${world.daemonUrl}/events`, asked)
    expect([statusCode, await body.json()]).toEqual([422, { error: 'last-event-id: expected a whole number from 0' }])
    await dispatcher.destroy()
  })

  test('a log that is followed from its end is answered at once, though no line comes', async () => {
    const page = await ann.deploy(await world.push('tests/demos/gated', 'ann', { name: 'quiet' }))
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
    const logs = `/-/api/demos/ann/quiet/logs`
    const whole = await ann.fetch(logs)
    const size = (await whole.arrayBuffer()).byteLength
    const leaving = new AbortController()
    const followed = await ann.fetch(`${logs}?follow=1&offset=${size}`, { signal: leaving.signal })
    expect([followed.status, followed.headers.get('origami-log-size')]).toEqual([200, String(size)])
    leaving.abort()
  })

  const exampleOf = (route: string): { method: string; path: string } => {
    const [method = '', path = ''] = route.split(' ')
    const named = { account: 'ann', name: 'quiet', host: 'github.test' } as Record<string, string>
    return { method, path: path.replaceAll(/:(\w+)/g, (_whole, name: string) => named[name] ?? 'example-0123456789') }
  }

  test('JSON that is nested 100 000 deep is refused by every route that reads a body, wherever it is nested', async () => {
    world.configure({ requestsPerMinute: 1e6, signInsPerMinute: 1e6, codeTriesPerMinute: 1e6 })
    const deep = 100_000
    const bodies = [
      '['.repeat(deep) + ']'.repeat(deep),
      `${'{"input":'.repeat(deep)}1${'}'.repeat(deep)}`,
      `{"input":{"word":${'['.repeat(deep)}${']'.repeat(deep)}}}`,
      `{"link":${'{"a":'.repeat(deep)}`,
    ]
    const routes = [...world.routes].filter((route) => /^(POST|PATCH|PUT) /.test(route) && !route.includes('/files/'))
    expect(routes.length).toBeGreaterThan(15)
    for (const route of routes)
      for (const body of bodies) {
        const { method, path } = exampleOf(route)
        const answer = await ann.fetch(path, { method, headers: { 'content-type': 'application/json' }, body })
        expect([route, answer.status, await answer.json()]).toEqual([
          route,
          422,
          { error: 'expected JSON with at most 64 arrays and objects within each other, got more' },
        ])
      }
  }, 60_000)

  test('a name that comes twice in a query is no mistake of the server, on any route', async () => {
    const names = ['return', 'scope', 'code', 'state', 'key', 'q', 'sort', 'before', 'offset', 'follow', 'forge']
    const twice = names.map((name) => `${name}=a&${name}=b`).join('&')
    const routes = [...world.routes].filter((route) => route.startsWith('GET '))
    expect(routes.length).toBeGreaterThan(20)
    for (const route of routes) {
      const leaving = new AbortController()
      const { status } = await ann.fetch(`${exampleOf(route).path}?${twice}`, {
        redirect: 'manual',
        signal: leaving.signal,
      })
      leaving.abort()
      expect([route, status < 500]).toEqual([route, true])
    }
  })

  test('the API of a demo that never reached the daemon says so, and tells nobody where the daemon is', async () => {
    const link = await world.push('tests/demos/gated', 'ann', { name: 'early' })
    await world.killDaemon()
    expect(await ann.status('POST', '/-/api/demos', { link })).toBe(503)
    const predict = async () => {
      const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"input":{"word":"x"}}' }
      const answer = await ann.fetch('/ann/early/predictions', sent)
      return [answer.status, await answer.json()]
    }
    expect(await predict()).toEqual([503, { error: 'The daemon does not answer.', status: 'failed' }])
    await world.startDaemon()
    const missing = {
      error: 'This demo was not deployed yet; its owner deploys it on its page.',
      status: 'failed',
    }
    expect(await predict()).toEqual([503, missing])
    for (const path of ['schema', 'health-check', 'openapi.json'])
      expect(await ask(`/ann/early/${path}`)).toEqual({ status: 503, body: missing })
    const put = await ann.fetch('/ann/early/files/0123456789abcdef/a', { method: 'PUT', body: 'x' })
    expect([put.status, await put.json()]).toEqual([503, missing])
  })
})
