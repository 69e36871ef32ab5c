import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

describe('demos and whose they are', () => {
  let world: World
  let ann: Person
  let bob: Person
  let visitor: Person
  let link: string
  let page: DemoPage

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    bob = await world.person('bob')
    visitor = new Person(world.url)
    link = await world.push('tests/demos/gated', 'ann')
    page = await ann.deploy(link)
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
  }, 240_000)

  afterAll(async () => world[Symbol.asyncDispose]())

  test('a visitor sees the demo and is answered', async () => {
    const seen = await visitor.json<DemoPage>('GET', `/-/api/demos${page.address}`)
    expect(seen).toMatchObject({ state: 'running', mine: false, detail: null })
    const { id } = await visitor.submit(page.address, { word: 'hi' })
    expect((await visitor.prediction(page.address, id)).output).toBe('hi, version 1')
  }, 60_000)

  test('a file that is given to a demo comes back as it was, under the address that is answered', async () => {
    const put = await visitor.fetch(`${page.address}/files/sixteen-letters-1/a%20note.txt`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: 'Hello',
    })
    expect(put.status).toBe(201)
    const { ref } = (await put.json()) as { ref: string }
    expect(ref).toBe(`${world.url}${page.address}/files/sixteen-letters-1/a%20note.txt`)
    expect(await (await visitor.fetch(ref)).text()).toBe('Hello')
    expect((await visitor.fetch(ref, { method: 'HEAD' })).headers.get('content-length')).toBe('5')
  })

  test('somebody else cannot touch it: to them it is not there', async () => {
    for (const person of [bob, visitor]) {
      for (const verb of ['deploy', 'stop', 'start', 'cancel']) {
        expect([401, 404], verb).toContain(await person.status('POST', `/-/api/demos${page.address}/${verb}`, {}))
      }
      expect([401, 404]).toContain(await person.status('DELETE', `/-/api/demos${page.address}`))
      expect([401, 404]).toContain(await person.status('GET', `/-/api/demos${page.address}/logs`))
    }
    expect((await ann.settled(page.address)).state).toBe('running')
  }, 60_000)

  test('the same repository under two owners is two demos', async () => {
    const his = await bob.deploy(link)
    expect(his.state, his.detail?.newest?.reason ?? '').toBe('running')
    expect(his.address).toBe('/bob/gated')
    expect(his.id).not.toBe(page.id)
    expect(await bob.status('DELETE', `/-/api/demos${his.address}`)).toBeLessThan(300)
    expect((await ann.settled(page.address)).state).toBe('running')
  }, 120_000)

  test('a private repository is asked for, then works with the token, and is not found without', async () => {
    const secret = await world.push('tests/demos/gated', 'ann', { private: true, name: 'secret' })
    const refused = await ann.fetch('/-/api/demos', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ link: secret, public: false }),
    })
    expect(refused.status).toBe(403)
    const { authorize } = (await refused.json()) as { authorize: string }
    await ann.authorize(new URL(authorize, world.url).href, world.github, 'ann')
    const mine = await ann.deploy(secret, { public: false })
    expect(mine.state, mine.detail?.newest?.reason ?? '').toBe('running')
    expect(await visitor.status('GET', mine.address)).toBe(404)
    expect([403, 404]).toContain(await bob.status('POST', '/-/api/demos', { link: secret }))
  }, 120_000)

  test('what happened while the web server was away is known afterwards', async () => {
    const gate = join(world.folder, 'gate')
    await writeFile(gate, '')
    const { newest } = (await ann.json<DemoPage>('POST', `/-/api/demos${page.address}/deploy`, {})).detail ?? {}
    await world.stopWeb()
    await world.startWeb()
    const after = await ann.settled(page.address, newest?.id)
    const followed = after.detail?.deployments.find((entry) => entry.id === newest?.id)
    expect(followed?.state).toBe('running')
    expect(followed?.steps.length).toBeGreaterThan(3)
    const { demos } = await visitor.json<{ demos: { address: string; state: string }[] }>('GET', '/-/api/demos')
    expect(demos).toContainEqual(expect.objectContaining({ address: page.address, state: 'running' }))
  }, 120_000)
})
