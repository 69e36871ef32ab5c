import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person, placeOf } from './person.ts'
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

  const listed = async () =>
    (await new Person(world.url).call('GET /-/api/demos', {})).demos.map(({ address }) => address)

  test('a visitor sees the demo and is answered', async () => {
    const seen = await visitor.call('GET /-/api/demos/:account/:name', { params: placeOf(page.address) })
    expect(seen).toMatchObject({ state: 'running', mine: false, detail: null })
    const { id } = await visitor.submit(page.address, { word: 'hi' })
    expect((await visitor.prediction(page.address, id)).output).toBe('hi, version 1')
  })

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
  })

  test('the same repository under two owners is two demos', async () => {
    const his = await bob.deploy(link)
    expect(his.state, his.detail?.newest?.reason ?? '').toBe('running')
    expect(his.address).toBe('/bob/gated')
    expect(his.id).not.toBe(page.id)
    expect(await bob.status('DELETE', `/-/api/demos${his.address}`)).toBeLessThan(300)
    expect((await ann.settled(page.address)).state).toBe('running')
  })

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
    expect(mine.unlisted).toMatch(/^\/ann\/secret\?key=[\w-]{20,}$/)
    const invited = new Person(world.url)
    for (const path of [
      mine.address,
      `/-/api/demos${mine.address}`,
      `${mine.address}/schema`,
      `${mine.address}?key=guessed`,
    ])
      expect([path, (await invited.fetch(path)).status]).toEqual([path, 404])
    const { search } = new URL(mine.unlisted ?? '', world.url)
    for (const path of [`/-/api/demos${mine.address}`, `/-/api/demos${mine.address}/results`, `${mine.address}/schema`])
      expect([path, (await fetch(world.url + path + search)).status]).toEqual([path, 200])
    expect((await invited.fetch(mine.unlisted ?? '', { headers: { accept: 'text/html' } })).status).toBe(200)
    const { id } = await invited.submit(mine.address, { word: 'invited' })
    expect((await invited.prediction(mine.address, id)).output).toBe('invited, version 1')
    expect((await invited.call('GET /-/api/demos/:account/:name', { params: placeOf(mine.address) })).link).toBeNull()
    expect(await listed()).not.toContain('/ann/secret')
    const renewed = await ann.call('POST /-/api/demos/:account/:name/key', { params: placeOf(mine.address) })
    expect(renewed.unlisted).not.toBe(mine.unlisted)
    for (const path of [`/-/api/demos${mine.address}`, `${mine.address}/schema`])
      expect([(await fetch(world.url + path + search)).status, await invited.status('GET', path)]).toEqual([404, 404])
    expect((await invited.fetch(renewed.unlisted ?? '', { headers: { accept: 'text/html' } })).status).toBe(200)
    expect(await invited.status('GET', mine.address)).toBe(200)
    for (const [name, value] of invited.cookies)
      if (name.startsWith('origami_key_')) invited.cookies.set(name, value.replace(/^\d+/, '9999999999'))
    expect(await invited.status('GET', mine.address)).toBe(404)
    expect(await bob.status('POST', `/-/api/demos${mine.address}/key`)).toBe(404)
    await ann.call('PATCH /-/api/demos/:account/:name', { params: placeOf(mine.address), body: { public: true } })
    expect(await listed()).toContain('/ann/secret')
  })

  test("names are one's own: one that is taken is refused, another renames the demo", async () => {
    const other = await world.push('tests/demos/gated', 'ann', { name: 'other' })
    expect(await ann.status('POST', '/-/api/demos', { link: other, name: 'gated' })).toBe(409)
    expect(await ann.status('POST', '/-/api/demos', { link: other, name: 'Not A Name' })).toBe(422)
    const made = await ann.deploy(other)
    expect(await ann.status('PATCH', `/-/api/demos${made.address}`, { name: 'gated' })).toBe(409)
    expect(
      await ann.call('PATCH /-/api/demos/:account/:name', { params: placeOf(made.address), body: { name: 'renamed' } }),
    ).toMatchObject({ address: '/ann/renamed' })
    expect(await ann.status('GET', '/ann/renamed')).toBe(200)
    await ann.call('DELETE /-/api/demos/:account/:name', { params: { account: 'ann', name: 'renamed' } })
  })

  test('who is not listed visits and does not deploy', async () => {
    const carol = await world.person('carol')
    expect((await carol.session()).account).toMatchObject({ handle: 'carol', owner: false, may_deploy: false })
    for (const path of ['/-/api/demos', '/-/api/inspect']) expect(await carol.status('POST', path, { link })).toBe(403)
    expect(await carol.status('POST', '/-/api/tokens', { name: 'x' })).toBe(403)
    const { id } = await carol.submit(page.address, { word: 'carol' })
    expect((await carol.prediction(page.address, id)).output).toBe('carol, version 1')
  })

  test('its visitor and its owner cancel a prediction, nobody else', async () => {
    const gate = join(world.folder, 'cancel-gate')
    const running = await visitor.submit(page.address, { word: 'running', gate })
    const waiting = await visitor.submit(page.address, { word: 'waiting', gate })
    const cancel = (person: Person, id: string) => person.status('POST', `${page.address}/predictions/${id}/cancel`, {})
    expect(await cancel(bob, waiting.id)).toBe(404)
    expect(await cancel(ann, waiting.id)).toBe(200)
    expect(await cancel(visitor, running.id)).toBe(200)
    for (const { id } of [running, waiting])
      expect((await visitor.prediction(page.address, id)).status).toBe('canceled')
  })

  test('a sign-in that the forge no longer knows is asked for anew; a forge that does not answer is an error in words', async () => {
    world.github.revokeTokens()
    const answer = await ann.fetch('/-/api/inspect', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ link }),
    })
    expect([answer.status, await answer.json()]).toEqual([
      403,
      { error: expect.stringContaining('sign in there again'), authorize: '/-/sign-in/github.test?return=/-/new' },
    ])
    await ann.authorize(`${world.url}/-/sign-in/github.test?return=/`, world.github, 'ann')
    expect(await ann.call('POST /-/api/inspect', { body: { link } })).toMatchObject({ name: 'gated' })
  })

  test('in a browser a sign-in that fails leads back to where one signs in', async () => {
    const back = await visitor.fetch('/-/callback/github.test?code=x&state=guessed', {
      redirect: 'manual',
      headers: { accept: 'text/html' },
    })
    expect([back.status, back.headers.get('location')]).toEqual([302, '/-/sign-in?failed=refused'])
  })

  test('what happened while the web server was away is known afterwards', async () => {
    const gate = join(world.folder, 'gate')
    await writeFile(gate, '')
    const { newest } =
      (await ann.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(page.address) })).detail ?? {}
    await world.stopWeb()
    await world.startWeb()
    const after = await ann.settled(page.address, newest?.id)
    const followed = after.detail?.deployments.find((entry) => entry.id === newest?.id)
    expect(followed?.state).toBe('running')
    expect(followed?.steps.length).toBeGreaterThan(3)
    const { demos } = await visitor.call('GET /-/api/demos', {})
    expect(demos).toContainEqual(expect.objectContaining({ address: page.address, state: 'running' }))
  })
})
