import { queueEmptied, queueView } from '@origami/protocol/control'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { DaemonYard } from './yard.ts'

let yard: DaemonYard
let demo: string
beforeAll(async () => {
  yard = await DaemonYard.open({ bodyBytes: 10_000 })
  demo = (await yard.deploy('owned')).demo
})
afterAll(async () => yard[Symbol.asyncDispose]())

const queue = async () => queueView.parse(await yard.call('GET /demos/:demo/queue', { params: { demo } }))

describe("a demo's owner", () => {
  test('sees what runs and waits: whose, since when, in its order; cancels any, and empties the queue', async () => {
    const gate = yard.gate('owner')
    const first = await yard.submit(demo, { word: 'first', gate: gate.path }, 'ann')
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['first']))
    const ids = []
    for (const [word, visitor] of [
      ['a2', 'ann'],
      ['b1', 'bob'],
      ['b2', 'bob'],
      ['c1', 'cas'],
    ] as const)
      ids.push(await yard.submit(demo, { word, gate: gate.path }, visitor))
    const [a2, b1, b2, c1] = ids
    const seen = await queue()
    expect(seen.entries.map(({ id, visitor, status, position }) => [id, visitor, status, position])).toEqual([
      [first, 'ann', 'processing', null],
      [b1, 'bob', 'starting', 1],
      [c1, 'cas', 'starting', 2],
      [a2, 'ann', 'starting', 3],
      [b2, 'bob', 'starting', 4],
    ])
    expect(seen).toMatchObject({ running: 1, waiting: 4 })
    expect(seen.entries[0]?.started_at).toEqual(expect.any(String))

    expect((await yard.ask('POST', `/demos/${demo}/predictions/${first}/cancel`, {})).status).toBe(200)
    expect(await yard.prediction(demo, first)).toMatchObject({ status: 'canceled' })
    await vi.waitFor(async () => expect(await queue()).toMatchObject({ running: 1, waiting: 3 }))

    const emptied = queueEmptied.parse(await yard.call('DELETE /demos/:demo/queue', { params: { demo } }))
    expect(emptied).toEqual({ canceled: 3 })
    expect(await queue()).toMatchObject({ running: 1, waiting: 0 })
    expect((await yard.ask('DELETE', `/demos/${demo}/queue`)).body).toEqual({ canceled: 0 })
    await gate.open()
    expect((await yard.prediction(demo, a2 ?? '')).status).toBe('succeeded')
    expect(await gate.runs()).toEqual(['first', 'a2'])
  })
})

describe('what is asked of the daemon', () => {
  const nowhere = '0'.repeat(32)
  test.each([
    ['GET', `/demos/${nowhere}/queue`],
    ['DELETE', `/demos/${nowhere}/queue`],
    ['GET', '/demos/..%2f/queue'],
    ['GET', '/stats/nonsense'],
    ['POST', '/demos/nonsense/stop'],
    ['DELETE', `/demos/${'a'.repeat(60)}`],
    ['POST', '/deployments/nonsense/cancel'],
    ['GET', '/demos/nonsense/predictions/12345678'],
    ['GET', '/demos/nonsense/schema'],
  ])('%s of an address that is nowhere is a 404 with words (%s)', async (method, path) => {
    const answer = await yard.ask<{ error: string }>(method, path, method === 'POST' ? {} : undefined)
    expect([answer.status, answer.body.error]).toEqual([404, expect.stringContaining('There is no')])
  })

  test.each([
    ['/events?after=soon', 'after: expected a whole number'],
    ['/events?after=-1', 'after: expected a whole number'],
    ['/logs/DEMO?offset=1e3', 'offset: expected a whole number'],
    ['/demos/DEMO/results?visitor=ann&limit=all', 'limit: expected a whole number'],
    ['/demos/DEMO/results?visitor=ann&before=now', 'before: expected a whole number'],
    ['/demos/DEMO/results', 'visitor: expected whose'],
    [`/demos/DEMO/results?visitor=${'x'.repeat(300)}`, 'visitor: expected whose'],
  ])('a number or name that is none is a 422 that says so (%s)', async (path, message) => {
    const answer = await yard.ask<{ error: string }>('GET', path.replace('DEMO', demo))
    expect([answer.status, answer.body.error]).toEqual([422, expect.stringContaining(message)])
  })

  test('a body above the limit is a 413 with words, also for a prediction', async () => {
    const input = { word: 'x'.repeat(11_000) }
    const answer = await yard.ask<{ error: string }>('POST', `/demos/${demo}/predictions`, { input })
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([413, expect.stringContaining('at most 10000 bytes')])
  })
})
