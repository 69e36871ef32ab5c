import { join } from 'node:path'
import { type AuditEntry, webApi } from '@origami/protocol/control'
import Database from 'better-sqlite3'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from '../world.ts'
import { Cast, often, type Send } from './cast.ts'
import { answerOf, changesSession, isAudited, lateness } from './requests.ts'

const main = join(import.meta.dirname, '../../packages/cli/src/main.ts')

describe('the audit log', () => {
  let world: World
  let cast: Cast
  beforeAll(async () => {
    world = await World.start({ engine: 'process', networks: ['127.0.0.0/8'], limits: often })
    cast = await Cast.assemble(world)
  }, 120_000)
  afterAll(async () => {
    await cast?.[Symbol.asyncDispose]()
    await world?.[Symbol.asyncDispose]()
  })

  /** The rows that are written while somebody waits for an answer. */
  async function rowsOf<Answer>(ask: () => Promise<Answer>): Promise<{ answer: Answer; rows: AuditEntry[] }> {
    const before = cast.audit().length
    const answer = await ask()
    return { answer, rows: cast.audit().slice(before) }
  }

  /** How many rows a route gets that is asked by somebody who may. */
  async function rowsOfRoute(route: string): Promise<number> {
    const role = route.includes('/results/') ? 'guest' : route === 'GET /-/api/audit' ? 'operator' : 'owner'
    const send = await cast.sender(role, changesSession.has(route))
    const written: AuditEntry[] = []
    const watching: Send = async (path, init) => {
      const { answer, rows } = await rowsOf(() => send(path, init))
      written.push(...rows)
      if (!answer.headers.get('content-type')?.startsWith('application/json')) return answer
      const text = await answer.text()
      const made = JSON.parse(text) as { token?: string; device_code?: string }
      for (const secret of [made.token, made.device_code]) if (secret) cast.secrets.add(secret)
      return new Response(text, answer)
    }
    const status = await answerOf(cast, { route, privacy: 'public', send: watching })
    expect([route, status]).toEqual([route, expect.stringMatching(route === 'GET /-/callback/:host' ? '422' : /^[23]/)])
    return written.length
  }

  test('gets exactly one row of each route that changes something, and none of one that reads', async () => {
    const routes = [...world.routes].toSorted((one, two) => lateness(one) - lateness(two))
    const rows: Record<string, number> = {}
    for (const route of routes) rows[route] = await rowsOfRoute(route)
    expect(rows).toEqual(Object.fromEntries(routes.map((route) => [route, isAudited(route) ? 1 : 0])))
    expect(routes.filter(isAudited).length).toBeGreaterThan(15)
  }, 120_000)

  test('says who did what to what, from where, under which request, and what it was before', async () => {
    const ann = await cast.person('owner')
    const { address } = await ann.page(await cast.listed('public'))
    await ann.status('PATCH', `/-/api/demos${address}`, { public: false })
    expect(cast.audit().at(-1)).toMatchObject({
      account: 'ann',
      by: 'session',
      address: '127.0.0.1',
      action: 'changeDemo',
      object: address,
      before: { public: true },
      after: { public: false },
      failure: null,
      request: expect.stringMatching(/^\w{8}-\w+$/),
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    })
  })

  test('of a sign-in at a forge it says where', async () => {
    await cast.newPerson('account')
    expect(cast.audit().at(-1)).toMatchObject({ account: 'carol', action: 'signIn', object: 'github.test' })
  })

  test('has no row of what was refused, and one with the reason of what was tried and failed', async () => {
    const [ann, bob, visitor] = [
      await cast.person('owner'),
      await cast.person('deployer'),
      await cast.person('visitor'),
    ]
    const { public: address } = cast.demos
    const none = await rowsOf(async () => {
      expect(await bob.status('POST', `/-/api/demos${address}/stop`)).toBe(404)
      expect(await visitor.status('POST', '/-/api/tokens', { name: 'x' })).toBe(401)
      expect(await ann.status('POST', '/-/api/demos', { link: 'https://u:canary-in-a-link@github.test/a/b' })).toBe(422)
    })
    expect(none.rows).toEqual([])
    await world.killDaemon()
    const failed = await rowsOf(() => ann.status('POST', `/-/api/demos${address}/stop`))
    await world.startDaemon()
    expect(failed.answer).toBe(503)
    expect(failed.rows).toMatchObject([{ action: 'stopDemo', object: address, failure: 'The daemon does not answer.' }])
  })

  test('is read by the owner of the server alone, a page at a time, and by origami audit', async () => {
    const operator = await cast.person('operator')
    const [ann, visitor] = [await cast.person('owner'), await cast.person('visitor')]
    expect(await ann.status('GET', '/-/api/audit')).toBe(403)
    expect(await visitor.status('GET', '/-/api/audit')).toBe(401)
    for (let count = 0; count < 101; count += 1) await ann.call('DELETE /-/api/tokens/:id', { params: { id: 'none' } })
    const all: AuditEntry[] = []
    for (let next: number | undefined, first = true; first || next !== undefined; first = false) {
      const page = await operator.call('GET /-/api/audit', { query: next === undefined ? {} : { before: next } })
      expect(page.entries.length).toBeLessThanOrEqual(100)
      all.push(...page.entries)
      next = page.next
    }
    expect(all).toEqual(cast.audit().toReversed())
    const printed = async (...args: string[]) =>
      (await execa(process.execPath, [main, 'audit', '--data', world.folder, ...args])).stdout
    expect(JSON.parse(await printed('--json', '--before', String(all[0]?.seq ?? 0))).entries).toEqual(all.slice(1, 101))
    expect(await printed()).toContain('revokeToken')
  })

  test('has no row that was changed, and none with a secret', async () => {
    const db = new Database(join(world.folder, 'web/web.db'))
    try {
      expect(() => db.prepare(`UPDATE audit SET handle = 'bob'`).run()).toThrow('is never changed')
    } finally {
      db.close()
    }
    const text = JSON.stringify(cast.audit())
    expect(cast.secrets.size).toBeGreaterThan(10)
    for (const secret of cast.secrets) expect(text).not.toContain(secret)
    expect(text).not.toContain('canary')
  })

  test('names every id of an endpoint that is written', () => {
    const ids = new Set<string>(Object.values(webApi).map(({ id }) => id))
    for (const { action } of cast.audit()) expect(action === 'signIn' || ids.has(action), action).toBe(true)
  })
})
