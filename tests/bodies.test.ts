import { Agent, request as ask, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { DemoPage } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Person } from './person.ts'
import { World } from './world.ts'

const megabyte = 1024 ** 2
const model = `import { demo, file, text } from 'origami-lib'
export default demo({
  title: 'Long',
  inputs: { word: text({ optional: true, maxLength: 100_000_000 }), paper: file({ optional: true }) },
  outputs: { length: text() },
  predict: ({ word, paper }) => String(word?.length ?? paper?.path),
})
`

describe('JSON bodies', () => {
  let world: World
  let visitor: Person
  let page: DemoPage

  beforeAll(async () => {
    world = await World.start({ engine: 'process', limits: { fileBytes: 2 * megabyte } })
    const ann = await world.person('ann')
    page = await ann.deploy(await world.push('tests/demos/gated', 'ann', { files: { 'model.ts': model } }))
    expect(page.state, page.detail?.newest?.reason ?? '').toBe('running')
    visitor = new Person(world.url)
  })
  afterAll(async () => world[Symbol.asyncDispose]())

  test('of 12 MB come through web server, daemon and runtime', async () => {
    const { id } = await visitor.submit(page.address, { word: 'x'.repeat(12 * megabyte) })
    expect((await visitor.prediction(page.address, id)).output).toBe(String(12 * megabyte))
  })

  test('above the limit are refused with 413, the limit and what came, and the connection stays usable', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      const refused = await post(agent, JSON.stringify({ input: { word: 'x'.repeat(33 * megabyte) } }))
      expect([refused.status, refused.body]).toEqual([
        413,
        { error: `expected a body of at most ${32 * megabyte} bytes, got ${33 * megabyte + 21}` },
      ])
      const after = await post(agent, JSON.stringify({ input: { word: 'four' } }))
      expect([after.status, after.reused]).toEqual([200, true])
    } finally {
      agent.destroy()
    }
  })

  test('deeper than 64 are refused with 422, brackets in strings do not count', async () => {
    const deep = await visitor.fetch(`${page.address}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '['.repeat(1_000_000),
    })
    expect([deep.status, await deep.json()]).toEqual([
      422,
      { error: 'expected JSON with at most 64 arrays and objects within each other, got more' },
    ])
    const { id } = await visitor.submit(page.address, { word: `\\"${'['.repeat(100)}` })
    expect((await visitor.prediction(page.address, id)).output).toBe('102')
  })

  test('what the daemon alone refuses is a 413 with its words at the web server too', async () => {
    world.configure({ bodyBytes: 64 * megabyte, fileBytes: 2 * megabyte })
    const sent = await visitor.fetch(`${page.address}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: { word: 'x'.repeat(33 * megabyte) } }),
    })
    expect([sent.status, await sent.text()]).toEqual([413, expect.stringContaining(`at most ${32 * megabyte} bytes`)])
    world.configure({ fileBytes: 2 * megabyte })
  })

  test('a data: URI is a file from the web server on; one above the limit of files is refused with both sizes', async () => {
    const paper = (bytes: number) => `data:text/plain;base64,${Buffer.alloc(bytes, 'a').toString('base64')}`
    const { id } = await visitor.submit(page.address, { paper: paper(megabyte) })
    const { input } = await visitor.prediction(page.address, id)
    expect(input.paper).toMatch(/\/files\/\w{32}\/file\.plain$/)
    expect((await (await visitor.fetch(String(input.paper))).arrayBuffer()).byteLength).toBe(megabyte)
    const refused = await visitor.fetch(`${page.address}/predictions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: { paper: paper(3 * megabyte) } }),
    })
    expect([refused.status, await refused.json()]).toEqual([
      413,
      {
        detail: [
          {
            loc: ['body', 'input', 'paper'],
            msg: `expected a file of at most ${2 * megabyte} bytes, got ${3 * megabyte}`,
            type: 'value_error.too_large',
          },
        ],
      },
    ])
  })

  async function post(agent: Agent, body: string): Promise<{ status: number; body: unknown; reused: boolean }> {
    const sending = ask(`${world.url}${page.address}/predictions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    const answered = Promise.withResolvers<IncomingMessage>()
    sending.once('response', answered.resolve).once('error', answered.reject).end(body)
    const response = await answered.promise
    return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)), reused: sending.reusedSocket }
  }
})
