import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newVisitor, startBrowser } from './browser.ts'
import type { Person } from './person.ts'
import { World } from './world.ts'

const model = `import { demo, file, text } from 'origami-lib'

export default demo({
  inputs: { word: text(), paper: file({ optional: true }) },
  outputs: { said: text() },
  async *predict({ word }) {
    for (const letter of String(word)) yield letter
  },
})
`

interface Sent {
  method?: string
  headers?: Record<string, string>
  body?: string
  credentials?: 'include'
}

describe('a page of another site', () => {
  let world: World
  let browser: Browser
  let elsewhere: Server
  let ann: Person
  let token: string
  /** It has been to the demo's own pages before, so it has a visitor's cookie there. */
  let page: Page
  let origin: string

  beforeAll(async () => {
    world = await World.start({ engine: 'process' })
    ann = await world.person('ann')
    await ann.deploy(await world.push('tests/demos/gated', 'ann', { name: 'open', files: { 'model.ts': model } }))
    await ann.deploy(await world.push('tests/demos/gated', 'ann', { name: 'gated' }))
    token = (await ann.call('POST /-/api/tokens', { body: { name: 'elsewhere' } })).token
    elsewhere = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>Here'))
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    origin = `http://localhost:${(elsewhere.address() as AddressInfo).port}`
    browser = await startBrowser()
    page = await (await newVisitor(browser)).newPage()
    await page.goto(world.url)
    await page.goto(origin)
  })
  afterAll(async () => {
    await browser.close()
    elsewhere.close()
    await world[Symbol.asyncDispose]()
  })

  const change = (name: string, body: { public?: boolean; cross_origin?: boolean }) =>
    ann.call('PATCH /-/api/demos/:account/:name', { params: { account: 'ann', name }, body })
  /** A request as that page's script sends it: its status, or that the browser did not let it see an answer. */
  const fetched = (path: string, init: Sent = {}) =>
    page.evaluate(
      async ([url, sent]) =>
        fetch(url, { cache: 'no-store', ...sent }).then(
          ({ status }) => status,
          () => 'not to be seen',
        ),
      [world.url + path, init] as const,
    )
  const sent = (body: unknown, headers: Record<string, string> = {}): Sent => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const waiting = () => ({ input: { word: 'a', gate: join(world.folder, 'elsewhere-gate') } })
  const queued = async () =>
    (await ann.call('GET /-/api/demos/:account/:name/queue', { params: { account: 'ann', name: 'gated' } })).entries

  test('uploads a file to a public demo, runs it, follows its events, and reads the file', async () => {
    const outcome = await page.evaluate(async (demo) => {
      const put = await fetch(`${demo}/files/0123456789abcdef/paper.txt`, { method: 'PUT', body: 'paper' })
      const { ref } = (await put.json()) as { ref: string }
      const made = await fetch(`${demo}/predictions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'respond-async' },
        body: JSON.stringify({ input: { word: 'abc', paper: ref } }),
      })
      const { urls } = (await made.json()) as { urls: { events: string } }
      const followed = new EventSource(urls.events)
      const end = await new Promise<{ status: string; output: unknown }>((resolve, reject) => {
        followed.addEventListener('completed', ({ data }) => resolve(JSON.parse(data)))
        followed.addEventListener('error', () => reject(new Error('the event stream broke off')))
      })
      followed.close()
      const streamed = await fetch(`${demo}/predictions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ input: { word: 'de' } }),
      })
      const file = await fetch(ref)
      return {
        output: end.output,
        status: end.status,
        streamed: (await streamed.text()).includes('"succeeded"'),
        file: [await file.text(), file.headers.get('content-disposition'), file.headers.get('accept-ranges')],
        schema: (await fetch(`${demo}/schema`)).headers.get('etag'),
      }
    }, `${world.url}/ann/open`)
    expect(outcome).toEqual({
      output: 'abc',
      status: 'succeeded',
      streamed: true,
      file: ['paper', "attachment; filename*=UTF-8''paper.txt", 'bytes'],
      schema: expect.any(String),
    })
  })

  test('is told what was wrong of it, and reads nothing with credentials', async () => {
    expect(await fetched('/ann/open/predictions', sent({ input: {} }))).toBe(422)
    expect(await fetched('/ann/open/predictions/none-of-this-id')).toBe(404)
    expect(await fetched('/ann/open/schema', { credentials: 'include' })).toBe('not to be seen')
    expect(await fetched('/ann/open/predictions', { ...sent({}), credentials: 'include' })).toBe('not to be seen')
  })

  test('never acts by the cookies of who reads it', async () => {
    const headers = { cookie: [...ann.cookies].map((pair) => pair.join('=')).join('; ') }
    const post = (from: string) =>
      fetch(
        `${world.url}/ann/gated/predictions`,
        sent(waiting(), { ...headers, origin: from, prefer: 'respond-async' }),
      )
    const answers = [await post(world.url), await post('https://evil.example'), await post('null')]
    expect(answers.map(({ status, headers }) => [status, headers.getSetCookie()])).toEqual(Array(3).fill([202, []]))
    const entries = await queued()
    const visitors = await Promise.all(
      answers.map(async (answer) => {
        const { id } = (await answer.json()) as { id: string }
        return entries.find((entry) => entry.id === id)?.visitor?.slice(0, 2)
      }),
    )
    expect(visitors).toEqual(['a-', 'ip', 'ip'])
    await ann.call('DELETE /-/api/demos/:account/:name/queue', { params: { account: 'ann', name: 'gated' } })
  })

  test('sees nothing of a private demo but by a token, not even whether there is one', async () => {
    await change('open', { public: false })
    const { unlisted } = await ann.page('/ann/open')
    const key = new URL(unlisted ?? '', world.url).search
    expect(await fetched('/ann/open/schema')).toBe('not to be seen')
    expect(await fetched(`/ann/open/schema${key}`)).toBe('not to be seen')
    expect(await fetched(`/ann/open/predictions${key}`, sent({ input: { word: 'a' } }))).toBe('not to be seen')
    expect(await fetched('/ann/open/schema', { headers: { authorization: `Bearer ${token}` } })).toBe(200)
    const byToken = sent({ input: { word: 'a' } }, { authorization: `Bearer ${token}` })
    expect(await fetched('/ann/open/predictions', byToken)).toBe(200)
    const preflight = (name: string) =>
      fetch(`${world.url}/ann/${name}/predictions`, { method: 'OPTIONS', headers: { origin } })
    const [there, not] = [await preflight('open'), await preflight('nothing')]
    const told = ({ status, headers }: Response) =>
      [...headers].filter(([name]) => !/^(date|.*ratelimit.*)$/.test(name)).concat([['status', String(status)]])
    expect(told(there)).toEqual(told(not))
    const cookies = await fetch(`${world.url}/ann/open/schema`, {
      headers: { origin, cookie: [...ann.cookies].map((pair) => pair.join('=')).join('; ') },
    })
    expect([cookies.status, cookies.headers.get('access-control-allow-origin')]).toEqual([404, null])
    await change('open', { public: true })
    expect(await fetched('/ann/open/schema')).toBe(200)
  })

  test('is refused where the owner closed the demo to it; programs and the own page go on', async () => {
    expect((await change('open', { cross_origin: false })).cross_origin).toBe(false)
    expect(await fetched('/ann/open/schema')).toBe('not to be seen')
    expect(await fetched('/ann/open/predictions', sent({ input: { word: 'a' } }))).toBe('not to be seen')
    const post = (headers: Record<string, string>) =>
      fetch(`${world.url}/ann/open/predictions`, sent({ input: { word: 'a' } }, headers))
    const refused = await post({ origin })
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { error: 'Pages of other sites cannot run demos here; a program can.' },
    ])
    expect([(await post({})).status, (await post({ origin: world.url })).status]).toEqual([200, 200])
    await change('open', { cross_origin: true })
    expect(await fetched('/ann/open/predictions', sent({ input: { word: 'a' } }))).toBe(200)
  })

  test('follows a demo that was renamed, and sees nothing else of this server', async () => {
    await ann.call('PATCH /-/api/demos/:account/:name', {
      params: { account: 'ann', name: 'open' },
      body: { name: 'renamed' },
    })
    expect(await fetched('/ann/open/schema')).toBe(200)
    expect(await fetched('/ann/open/predictions', sent({ input: { word: 'a' } }))).toBe(200)
    for (const path of ['/', '/ann', '/-/api/demos', '/-/api/session', '/-/openapi.json', '/ann/renamed/nothing'])
      expect(await fetched(path), path).toBe('not to be seen')
    expect(await fetched('/-/api/tokens', sent({ name: 'x' }))).toBe('not to be seen')
    expect(await fetched('/-/api/demos/ann/renamed', { headers: { authorization: `Bearer ${token}` } })).toBe(
      'not to be seen',
    )
  })
})
