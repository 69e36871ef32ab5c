import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Statements, scansOf } from './statements.ts'
import { World } from './world.ts'

test('no statement of the web server reads sessions, tokens, sign-ins, the audit log or old addresses from the first to the last', async () => {
  using statements = new Statements()
  await using world = await World.start({ engine: 'process' })
  const ann = await world.person('ann')
  const link = await world.push('tests/demos/gated', 'ann')
  await ann.call('POST /-/api/demos', { body: { link } })
  await ann.call('PATCH /-/api/demos/:account/:name', {
    params: { account: 'ann', name: 'gated' },
    body: { name: 'renamed' },
  })
  for (const path of [
    '/-/api/demos?q=a',
    '/-/api/mine',
    '/-/api/accounts/ann',
    '/-/api/demos/ann/gated',
    '/-/api/tokens',
  ])
    expect(await ann.status('GET', path), path).toBe(200)
  const { id, token } = await ann.call('POST /-/api/tokens', { body: { name: 'program' } })
  expect((await fetch(`${world.url}/-/api/mine`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  await ann.call('DELETE /-/api/tokens/:id', { params: { id } })
  const { user_code: code, device_code } = await ann.call('POST /-/api/device', { body: {} })
  await ann.call('GET /-/api/device', { query: { code } })
  await ann.call('POST /-/api/device/answer', { body: { code, allow: true } })
  await ann.call('POST /-/api/device/token', { body: { device_code } })
  expect(await ann.status('DELETE', '/-/api/demos/ann/renamed')).toBe(200)
  await ann.call('DELETE /-/api/session', {})
  await ann.session()
  await ann.call('POST /-/api/session/link', { body: { secret: new URL(world.ownerLink()).hash.slice(1) } })
  await ann.call('GET /-/api/audit', { query: { before: 1 } })
  expect(statements.all.size).toBeGreaterThan(30)
  // The gallery lists all demos, accounts are few, and the list of who may deploy is the operator's.
  expect(scansOf(join(world.folder, 'web/web.db'), statements.all, ['demos', 'accounts', 'deployer_seeds'])).toEqual([])
})
