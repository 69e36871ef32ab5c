import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

describe('from a link to an address', () => {
  let world: World
  let ann: Person
  let link: string
  let other: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    link = await world.push('tests/demos/gated', 'ann')
    other = await world.push('tests/demos/gated', 'ann', { name: 'other' })
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  const post = (body: object) =>
    ann.fetch('/-/api/demos', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const mine = async () => (await ann.call('GET /-/api/mine', {})).demos

  test('while the daemon is away, a new demo is an error in words, and one that its owner sees and deploys later', async () => {
    await world.killDaemon()
    const refused = await post({ link })
    expect([refused.status, await refused.json()]).toEqual([
      503,
      expect.objectContaining({ error: expect.stringContaining('daemon') }),
    ])
    expect((await mine()).map(({ name, state }) => [name, state])).toEqual([['gated', 'undeployed']])
    expect((await new Person(world.url).call('GET /-/api/demos', {})).demos).toEqual([])
    await world.startDaemon()
    const repeated = await post({ link })
    expect(repeated.status).toBe(200)
    const { address } = (await repeated.json()) as DemoPage
    expect((await ann.settled(address)).state).toBe('running')
  })

  test('three clicks at once are one demo, and each is answered with its address', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post({ link: other })))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 201])
    const addresses = await Promise.all(answers.map(async (one) => ((await one.json()) as DemoPage).address))
    expect(addresses).toEqual(['/ann/other', '/ann/other', '/ann/other'])
    expect((await mine()).map(({ name }) => name).toSorted()).toEqual(['gated', 'other'])
    const { detail } = await ann.settled('/ann/other')
    expect(detail?.deployments).toHaveLength(1)
  })

  test('a known link takes the name that is given, or refuses one that is taken', async () => {
    const taken = await post({ link: other, name: 'gated' })
    expect([taken.status, await taken.json()]).toEqual([
      409,
      { error: expect.stringContaining('a demo called gated already') },
    ])
    const named = await post({ link: other, name: 'second' })
    expect([named.status, ((await named.json()) as DemoPage).address]).toEqual([200, '/ann/second'])
  })

  test('an old address leads to the new one, with its permalinks and its API, until another demo takes it', async () => {
    const asked = async (method: string, path: string) => {
      const body =
        method === 'POST' ? { body: '{"input":{"word":"x"}}', headers: { 'content-type': 'application/json' } } : {}
      const { status, headers } = await fetch(world.url + path, { method, redirect: 'manual', ...body })
      return [status, headers.get('location')]
    }
    expect(await asked('GET', '/ann/other?x=1')).toEqual([302, '/ann/second?x=1'])
    expect(await asked('GET', '/ann/other/predictions/some-id-of-one')).toEqual([
      302,
      '/ann/second/predictions/some-id-of-one',
    ])
    expect(await asked('GET', '/-/api/demos/ann/Other')).toEqual([302, '/-/api/demos/ann/second'])
    expect(await asked('POST', '/ann/other/predictions')).toEqual([308, '/ann/second/predictions'])
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'gated' },
      body: { name: 'other' },
    })
    expect(await asked('GET', '/-/api/demos/ann/other')).toEqual([200, null])
    expect(await asked('GET', '/ann/gated')).toEqual([302, '/ann/other'])
  })

  test('of one that is not public, nobody learns where it went', async () => {
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'other' },
      body: { public: false },
    })
    expect(await new Person(world.url).status('GET', '/ann/gated')).toBe(404)
    expect(await ann.status('GET', '/ann/gated')).toBe(200)
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'other' },
      body: { public: true },
    })
  })
})
