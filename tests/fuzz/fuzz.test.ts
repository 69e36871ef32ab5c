import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { Agent, type Dispatcher, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from '../person.ts'
import { World } from '../world.ts'
import { type FuzzedRoute, type HostileRequest, hostileRequest, type Known } from './hostile.ts'

/** The most that any of these may answer with, in bytes. */
const mostBytes = 4 * 1024 ** 2
/** How many requests a server gets. */
const runs = Number(process.env.ORIGAMI_FUZZ_RUNS ?? 400)
const seed = Number(process.env.ORIGAMI_FUZZ_SEED ?? Date.now() % 2 ** 31)

const model = `import { checkbox, demo, file, json, number, select, text } from 'origami-lib'

export default demo({
  title: 'Fuzzed',
  inputs: {
    word: text(),
    count: number({ optional: true }),
    kind: select({ choices: ['a', 'b'], optional: true }),
    yes: checkbox({ optional: true }),
    about: json({ optional: true }),
    paper: file({ optional: true }),
  },
  outputs: { said: text() },
  predict: ({ word }) => String(word).slice(0, 100),
})
`

const closed = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])

interface Server {
  readonly url: string
  readonly routes: readonly FuzzedRoute[]
  readonly dispatcher?: Dispatcher
  readonly headers?: Readonly<Record<string, string>>
}

describe('whatever is asked', () => {
  let world: World
  let ann: Person
  let daemon: Dispatcher
  let known: Known

  beforeAll(async () => {
    world = await World.start({
      engine: 'process',
      limits: { requestsPerMinute: 1e6, signInsPerMinute: 1e6, codeTriesPerMinute: 1e6 },
    })
    ann = await world.person('ann')
    const link = await world.push('tests/demos/gated', 'ann', { files: { 'model.ts': model } })
    const page = await ann.deploy(link)
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
    const { id } = await ann.submit('/ann/gated', { word: 'known' })
    const tls = (name: string) => readFile(join(world.folder, 'web/tls', name))
    daemon = new Agent({ connect: { ca: await tls('ca.pem'), cert: await tls('cert.pem'), key: await tls('key.pem') } })
    const demo = page.detail?.demo_id ?? ''
    const deployment = page.detail?.newest?.id ?? ''
    known = {
      params: {
        account: ['ann'],
        name: ['gated'],
        demo: [demo],
        demo_id: [demo],
        id: [id, deployment],
        deployment: [deployment],
        host: ['github.test'],
      },
      bodies: [
        {
          input: { word: 'x', count: 1, kind: 'a', yes: true, about: { a: [1] }, paper: 'data:text/plain,x' },
          webhook: 'http://127.0.0.1:1',
        },
        { id: 'some-id-of-mine', input: { word: 'x' } },
        { link, public: true, name: 'other' },
        { url: 'http://127.0.0.1:1/', name: 'over-there' },
        { name: 'token' },
        { code: 'ABCD-EFGH', allow: true, client: 'me' },
        { user_access_token: null, user_id: 'ann', remote_repo_link: link },
      ],
    }
  })
  afterAll(async () => {
    await daemon?.destroy()
    await world?.[Symbol.asyncDispose]()
  })

  /** Resolves once it was answered as it should be. */
  async function ask(server: Server, sent: HostileRequest): Promise<void> {
    const { status, bytes } = await answerTo(server, sent).catch((error) => {
      // A body of a megabyte may be refused before it has been sent whole, and then nobody reads the rest.
      if ((sent.body ?? '').length > 64 * 1024 && closed.has(error.code)) return { status: 413, bytes: 0 }
      throw error
    })
    expect(status).toBeLessThan(500)
    expect(bytes).toBeLessThan(mostBytes)
  }

  async function answerTo({ url, dispatcher, headers = {} }: Server, { method, path, body, ...sent }: HostileRequest) {
    const asked = {
      method: method as Dispatcher.HttpMethod,
      headers: { ...headers, ...sent.headers },
      body: body ?? null,
    }
    // Each has a connection of its own, which the one before cannot have broken.
    const answer = await request(url + path, { ...asked, reset: true, ...(dispatcher && { dispatcher }) })
    let bytes = 0
    // What goes on for as long as somebody reads has been answered.
    if (/event-stream/.test(String(answer.headers['content-type'])) || path.includes('follow='))
      answer.body.on('error', () => undefined).destroy()
    else for await (const chunk of answer.body) bytes += (chunk as Uint8Array).length
    return { status: answer.statusCode, bytes }
  }

  const routesOf = (document: unknown): FuzzedRoute[] =>
    Object.entries((document as { paths: Record<string, object> }).paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
    )
  const fuzz = (server: Server) =>
    fc.assert(
      fc.asyncProperty(hostileRequest(server.routes, known), (sent) => ask(server, sent)),
      { numRuns: runs, seed, endOnFailure: true },
    )
  const worksStill = async () => {
    const { id } = await ann.submit('/ann/gated', { word: 'still' })
    expect(await ann.prediction('/ann/gated', id)).toMatchObject({ status: 'succeeded', output: 'still' })
  }

  test('of the web server, it is refused in order, and demos run on', async () => {
    const csrf = (await ann.session()).csrf
    const cookie = [...ann.cookies].map(([name, text]) => `${name}=${text}`).join('; ')
    const routes = [...world.routes]
      .map((route) => ({ method: route.split(' ')[0] ?? '', path: route.split(' ')[1] ?? '' }))
      // These would end what the others ask about.
      .filter(
        ({ method, path }) =>
          !(method === 'DELETE' && path === '/-/api/demos/:account/:name') && !/session|stop$/.test(path),
      )
    await fuzz({ url: world.url, routes, headers: { cookie, 'x-csrf-token': csrf, origin: world.url } })
    await worksStill()
  })

  test('of the daemon, it is refused in order, and demos run on', async () => {
    const { body } = await request(`${world.daemonUrl}/openapi.json`, { dispatcher: daemon })
    const routes = routesOf(await body.json()).filter(
      ({ method, path }) =>
        !(method === 'DELETE' && /^\/demos\/\{\w+\}$/.test(path)) && !/stop$|certificate/.test(path),
    )
    await fuzz({ url: world.daemonUrl, routes, dispatcher: daemon })
    await worksStill()
  })

  test('of a runtime, it is refused in order, and it runs on', async () => {
    const { detail } = await ann.page('/ann/gated')
    const { body } = await request(`${world.daemonUrl}/stats/${detail?.demo_id}`, { dispatcher: daemon })
    const { port } = (await body.json()) as { port: number }
    const url = `http://127.0.0.1:${port}`
    const document = await (await fetch(`${url}/openapi.json`)).json()
    await fuzz({ url, routes: routesOf(document) })
    await worksStill()
  })
})
