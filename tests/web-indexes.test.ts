import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Statements, scansOf } from './statements.ts'
import { World } from './world.ts'

test('no statement of the web server reads sessions, tokens, sign-ins or old addresses from the first to the last', async () => {
  using statements = new Statements()
  await using world = await World.start({ engine: 'process' })
  const ann = await world.person('ann')
  const link = await world.push('tests/demos/gated', 'ann')
  await ann.json('POST', '/-/api/demos', { link })
  await ann.json('PATCH', '/-/api/demos/ann/gated', { name: 'renamed' })
  for (const path of ['/-/api/demos?q=a', '/-/api/mine', '/-/api/accounts/ann', '/-/api/demos/ann/gated', '/-/api/tokens'])
    expect(await ann.status('GET', path), path).toBe(200)
  const { id, token } = await ann.json<{ id: string; token: string }>('POST', '/-/api/tokens', { name: 'program' })
  expect((await fetch(`${world.url}/-/api/mine`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  await ann.json('DELETE', `/-/api/tokens/${id}`)
  const { user_code: code, device_code } = await ann.json<Record<string, string>>('POST', '/-/api/device', {})
  await ann.json('GET', `/-/api/device?code=${code}`)
  await ann.json('POST', '/-/api/device/answer', { code, allow: true })
  await ann.json('POST', '/-/api/device/token', { device_code })
  expect(await ann.status('DELETE', '/-/api/demos/ann/renamed')).toBe(200)
  await ann.json('DELETE', '/-/api/session')
  expect(statements.all.size).toBeGreaterThan(30)
  // The gallery lists all demos, accounts are few, and the list of who may deploy is the operator's.
  expect(scansOf(join(world.folder, 'web/web.db'), statements.all, ['demos', 'accounts', 'deployer_seeds'])).toEqual([])
})
