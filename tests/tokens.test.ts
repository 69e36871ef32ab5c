import type { TokenScope } from '@origami/protocol/control'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

describe('tokens and sessions', () => {
  let world: World
  let ann: Person
  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
  })
  afterAll(async () => world?.[Symbol.asyncDispose]())

  const byToken = (token: string, path: string, init: RequestInit = {}) =>
    fetch(world.url + path, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } })
  const tokenOf = async (scopes: TokenScope[]) =>
    (await ann.call('POST /-/api/tokens', { body: { name: 'program', scopes } })).token

  test('a token makes no other, and lets no program in, whatever its scopes', async () => {
    const token = await tokenOf(['run', 'deploy', 'admin'])
    const send = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await byToken(token, path, { method: 'POST', headers, body: JSON.stringify(body) })
      return [answer.status, await answer.json()]
    }
    const refused = [403, { error: 'No token may do this: sign in in a browser.' }]
    expect(await send('/-/api/tokens', { name: 'another' })).toEqual(refused)
    const { user_code: code } = await ann.call('POST /-/api/device', { body: {} })
    expect(await send('/-/api/device/answer', { code, allow: true })).toEqual(refused)
  })

  test('what a token lacks is told by the name of the scope', async () => {
    const answer = await byToken(await tokenOf(['run']), '/-/api/demos/ann/x/stop', { method: 'POST' })
    expect([answer.status, await answer.json()]).toEqual([
      403,
      { error: 'Expected a token with the scope deploy, got one with run; make one on the account page.' },
    ])
  })

  test('of origami login may run and deploy, for a year', async () => {
    const { user_code: code, device_code } = await ann.call('POST /-/api/device', { body: {} })
    await ann.call('POST /-/api/device/answer', { body: { code, allow: true } })
    const { token } = await ann.call('POST /-/api/device/token', { body: { device_code } })
    const made = (await ann.call('GET /-/api/tokens', {})).tokens.at(-1)
    expect(made?.scopes).toEqual(['run', 'deploy'])
    const days = (Date.parse(made?.expires_at ?? '') - Date.parse(made?.created_at ?? '')) / 86_400_000
    expect(Math.round(days)).toBe(365)
    expect((await byToken(token, '/-/api/mine')).status).toBe(200)
    expect((await byToken(token, '/-/api/sessions')).status).toBe(403)
  })

  test('one that has expired is not known any more', async () => {
    const token = await tokenOf(['run'])
    const { id } = (await ann.call('GET /-/api/tokens', {})).tokens.at(-1) ?? { id: '' }
    expect((await byToken(token, '/-/api/mine')).status).toBe(200)
    inDatabase((db) => db.prepare('UPDATE tokens SET expires_at = ? WHERE id = ?').run('2026-01-01T00:00:00.000Z', id))
    expect((await byToken(token, '/-/api/mine')).status).toBe(401)
  })

  test('sessions are listed, and ended one by one or all', async () => {
    const other = await world.person('ann')
    const bob = await world.person('bob')
    const { sessions } = await ann.call('GET /-/api/sessions', {})
    expect(sessions.map(({ current }) => current)).toEqual([false, true])
    expect(sessions[0]).toMatchObject({ address: '127.0.0.1', agent: 'node' })
    const id = sessions[0]?.id ?? ''
    await bob.call('DELETE /-/api/sessions/:id', { params: { id } })
    expect(await other.status('GET', '/-/api/mine')).toBe(200)
    await ann.call('DELETE /-/api/sessions/:id', { params: { id } })
    expect([await other.status('GET', '/-/api/mine'), await ann.status('GET', '/-/api/mine')]).toEqual([401, 200])
    const third = await world.person('ann')
    await ann.call('DELETE /-/api/sessions', {})
    for (const person of [third, ann]) expect(await person.status('GET', '/-/api/mine')).toBe(401)
    expect(await bob.status('GET', '/-/api/mine')).toBe(200)
    ann = await world.person('ann')
  })

  test('who signs in again ends the session that this browser had', async () => {
    const before = new Map(ann.cookies)
    await ann.authorize(`${world.url}/-/sign-in/${world.github.forge.host}`, world.github, 'ann')
    const earlier = new Person(world.url)
    for (const [name, value] of before) earlier.cookies.set(name, value)
    expect([await earlier.status('GET', '/-/api/mine'), await ann.status('GET', '/-/api/mine')]).toEqual([401, 200])
  })

  function inDatabase(work: (db: Database.Database) => void): void {
    const db = new Database(`${world.folder}/web/web.db`)
    try {
      work(db)
    } finally {
      db.close()
    }
  }
})
