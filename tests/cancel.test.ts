import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Person } from './person.ts'
import { startOrigamiVerb } from './verb.ts'
import { World } from './world.ts'

const json = { 'content-type': 'application/json' }

/** A program that keeps no cookies: what it asks, and the status and body of the answer. */
async function ask(url: string, method = 'GET', headers: Record<string, string> = {}, body?: unknown) {
  const answer = await fetch(url, {
    method,
    headers: body === undefined ? headers : { ...json, ...headers },
    body: body === undefined ? null : JSON.stringify(body),
  })
  const [cookie] = answer.headers.getSetCookie()
  return { status: answer.status, body: (await answer.json()) as { id: string; status: string }, cookie }
}

const untilRuns = (url: string) =>
  vi.waitFor(async () => expect((await ask(url)).body.status).toBe('processing'), { timeout: 20_000 })
const untilCanceled = (url: string) =>
  vi.waitFor(async () => expect((await ask(url)).body.status).toBe('canceled'), { timeout: 20_000 })

describe('a program cancels its own prediction', () => {
  let world: World
  let ann: Person
  let demo: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process', web: { trustedProxies: ['127.0.0.0/8'] } })
    ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann'))
    demo = `${world.url}/ann/gated`
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  const input = (gate: string) => ({ input: { word: 'a', gate: join(world.folder, gate) } })
  /** A prediction that never ends by itself, made with these headers. */
  const make = async (headers: Record<string, string> = {}) => {
    const made = await ask(`${demo}/predictions`, 'POST', { prefer: 'respond-async', ...headers }, input('never'))
    expect(made.status).toBe(202)
    return `${demo}/predictions/${made.body.id}`
  }
  const cancel = async (url: string, headers: Record<string, string> = {}) =>
    (await ask(`${url}/cancel`, 'POST', headers)).status
  const tokenOf = async (person: Person) => ({
    authorization: `Bearer ${(await person.call('POST /-/api/tokens', { body: { name: 'program' } })).token}`,
  })
  const newCookie = async () => ({ cookie: (await ask(demo)).cookie?.split(';')[0] ?? '' })

  test('without a cookie, whoever holds its id, from any address, while it runs and while it waits', async () => {
    const runs = await make({ 'x-forwarded-for': '203.0.113.1' })
    await untilRuns(runs)
    const waits = await make({ 'x-forwarded-for': '203.0.113.1' })
    expect(await cancel(waits, { 'x-forwarded-for': '2001:db8::1' })).toBe(200)
    await untilCanceled(waits)
    expect(await cancel(runs, await newCookie())).toBe(200)
    await untilCanceled(runs)
    expect([await cancel(runs), await cancel(`${demo}/predictions/of-nobody`)]).toEqual([404, 404])
  })

  test('a client of Cog, which waits for the answer under an id of its own', async () => {
    const url = `${demo}/predictions/0123456789abcdef`
    const waited = ask(url, 'PUT', {}, input('never'))
    await untilRuns(url)
    expect(await cancel(url)).toBe(200)
    expect(await waited).toMatchObject({ status: 200, body: { status: 'canceled' } })
  })

  test('with a cookie or a token, the same caller alone; its owner every one', async () => {
    const bob = await world.person('bob')
    const [cookie, another, token] = [await newCookie(), await newCookie(), await tokenOf(bob)]
    const owner = await tokenOf(ann)
    const [byCookie, byToken, more] = [await make(cookie), await make(token), await make(cookie)]
    for (const [url, other] of [
      [byCookie, another],
      [byCookie, {}],
      [byCookie, token],
      [byToken, cookie],
      [byToken, {}],
    ] as const)
      expect([await cancel(url, other), url === byCookie, other]).toEqual([404, url === byCookie, other])
    expect((await ask(byCookie)).body.status).not.toBe('canceled')
    expect([await cancel(byCookie, cookie), await cancel(byToken, token)]).toEqual([200, 200])
    expect((await ask(`${more}/cancel?from=a-program`, 'POST', owner)).status).toBe(200)
    await Promise.all([byCookie, byToken, more].map(untilCanceled))
  })

  test('one that ended is canceled by nobody', async () => {
    await writeFile(join(world.folder, 'open'), '')
    const ended = await ask(`${demo}/predictions`, 'POST', {}, input('open'))
    expect(ended.body.status).toBe('succeeded')
    expect(await cancel(`${demo}/predictions/${ended.body.id}`)).toBe(404)
  })
})

test('over origami serve a program cancels by the id, too', async () => {
  await using serve = await startOrigamiVerb('serve', ['tests/demos/gated/model.ts', '--port', '0'], /(http:\S+)/)
  await vi.waitFor(async () => expect((await ask(`${serve.url}/health-check`)).body.status).toBe('READY'), {
    timeout: 30_000,
  })
  const url = `${serve.url}/predictions/0123456789abcdef`
  const waited = ask(url, 'PUT', {}, { input: { word: 'a', gate: '/tmp/origami-no-such-gate' } })
  await untilRuns(url)
  expect((await ask(`${url}/cancel`, 'POST')).status).toBe(200)
  expect((await waited).body.status).toBe('canceled')
  expect((await ask(`${url}/cancel`, 'POST')).status).toBe(404)
})
