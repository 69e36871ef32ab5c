import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Person } from './person.ts'
import { startOrigamiVerb } from './verb.ts'
import { World } from './world.ts'

describe('the files of a demo', () => {
  let world: World
  let ann: Person
  let visitor: Person

  beforeAll(async () => {
    world = await World.start({ engine: 'process', web: { allowedHosts: ['demos.example.org'] } })
    ann = await world.person('ann')
    visitor = new Person(world.url)
    for (const name of ['open', 'secret'])
      await ann.deploy(await world.push('tests/demos/meddler', 'ann', { name }), { public: name === 'open' })
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  const put = async (who: Person, path: string, body = 'paper') => {
    const answer = await who.fetch(path, { method: 'PUT', headers: { 'content-type': 'text/plain' }, body })
    return { status: answer.status, body: (await answer.json()) as { ref?: string; detail?: { msg: string }[] } }
  }

  test('that is private are not found under the address of another one, nor taken as its inputs', async () => {
    const file = 'files/0123456789abcdef-a/paper.txt'
    expect((await put(ann, `/ann/secret/${file}`)).status).toBe(201)
    expect((await ann.fetch(`/ann/secret/${file}`)).status).toBe(200)
    expect((await visitor.fetch(`/ann/open/${file}`)).status).toBe(404)
    expect((await visitor.fetch(`/ann/open/${file}`, { method: 'HEAD' })).status).toBe(404)
    for (const paper of [file, `${world.url}/ann/open/${file}`])
      expect(await visitor.status('POST', '/ann/open/predictions', { input: { paper } })).toBe(422)
    const { id } = await ann.submit('/ann/secret', { paper: file })
    expect(await ann.prediction('/ann/secret', id)).toMatchObject({ status: 'succeeded' })
  })

  test('may have the id of a file of another demo if they are the same, and else are refused', async () => {
    const file = 'files/0123456789abcdef-b/paper.txt'
    expect((await put(ann, `/ann/secret/${file}`)).status).toBe(201)
    expect(await put(visitor, `/ann/open/${file}`, 'other')).toMatchObject({
      status: 422,
      body: { detail: [{ msg: expect.stringContaining('which has another file') }] },
    })
    expect((await visitor.fetch(`/ann/open/${file}`)).status).toBe(404)
    expect((await put(visitor, `/ann/open/${file}`)).status).toBe(201)
    for (const demo of ['open', 'secret']) expect(await (await ann.fetch(`/ann/${demo}/${file}`)).text()).toBe('paper')
  })

  test('with another name under the same id are refused, and the first one is kept', async () => {
    expect((await put(visitor, '/ann/open/files/0123456789abcdef-c/first.txt', 'first')).status).toBe(201)
    expect(await put(visitor, '/ann/open/files/0123456789abcdef-c/second.txt', 'second')).toMatchObject({
      status: 422,
      body: { detail: [{ msg: expect.stringContaining('which has another file') }] },
    })
    expect(await (await visitor.fetch('/ann/open/files/0123456789abcdef-c/first.txt')).text()).toBe('first')
  })

  test.each([
    ['letters', `${'a'.repeat(196)}.txt`],
    ['letters of three bytes', '紙'.repeat(200)],
    ['pictures', '🎉'.repeat(100)],
  ])('may have names of 200 %s', async (_what, name) => {
    const path = `/ann/open/files/${crypto.randomUUID()}/${encodeURIComponent(name)}`
    const { status, body } = await put(visitor, path)
    expect(status).toBe(201)
    expect(await (await visitor.fetch(path)).text()).toBe('paper')
    const { id } = await visitor.submit('/ann/open', { paper: body.ref })
    expect(await visitor.prediction('/ann/open', id)).toMatchObject({ status: 'succeeded', input: { paper: body.ref } })
    const longer = await put(
      visitor,
      path.replace(/[^/]*$/, (last) => `${last}a`),
    )
    expect([longer.status, longer.body.detail?.[0]?.msg]).toEqual([
      422,
      expect.stringContaining('a file name is 1 to 200 characters'),
    ])
  })

  test('and all else are answered to hosts of this server alone', async () => {
    const ask = async (host: string) => (await request(world.url, { headers: { host } })).statusCode
    expect([await ask('demos.example.org'), await ask('localhost'), await ask('evil.example')]).toEqual([200, 200, 403])
  })
})

test('origami serve answers hosts that it was told of alone, and runs nothing for pages of other sites', async () => {
  const flags = ['tests/demos/gated/model.ts', '--port', '0', '--allowed-host', 'gpu.example.org']
  await using serve = await startOrigamiVerb('serve', flags, /(http:\S+)/)
  const ask = async (path: string, headers: Record<string, string>, body?: string) =>
    (await request(serve.url + path, { method: body ? 'POST' : 'GET', headers, body: body ?? null })).statusCode
  await vi.waitFor(
    async () => expect(await (await fetch(`${serve.url}/health-check`)).json()).toMatchObject({ status: 'READY' }),
    { timeout: 30_000 },
  )
  const hosts = ['gpu.example.org:6060', '127.0.0.1', 'evil.example']
  expect(await Promise.all(hosts.map((host) => ask('/schema', { host })))).toEqual([200, 200, 403])
  const sent = (headers: Record<string, string>) =>
    ask('/predictions', { 'content-type': 'application/json', ...headers }, '{"input":{"word":"a"}}')
  expect(await sent({})).toBe(200)
  expect(await sent({ origin: serve.url, 'sec-fetch-site': 'same-origin' })).toBe(200)
  expect(await sent({ origin: 'https://evil.example' })).toBe(403)
  expect(await sent({ 'sec-fetch-site': 'cross-site' })).toBe(403)
})
