import type { PredictionSnapshot } from '@origami/protocol/demo'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { DaemonYard } from './yard.ts'

describe('the queue of a demo', () => {
  let yard: DaemonYard
  let demo: string
  beforeAll(async () => {
    yard = await DaemonYard.open({ waiting: 3, waitingPerVisitor: 2, waitingPerAddress: 2 })
    demo = (await yard.deploy('queued')).demo
  })
  afterAll(async () => yard[Symbol.asyncDispose]())

  const predictions = () => `/demos/${demo}/predictions`
  /** One that runs until the gate opens, with as many behind it. */
  const occupied = async (name: string, waiting: number) => {
    const gate = yard.gate(name)
    const first = await yard.submit(demo, { word: 'first', gate: gate.path }, 'visitor-0')
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['first']))
    // The daemon hears a little later that it runs.
    await yard.prediction(demo, first, ({ status }) => status === 'processing')
    const rest: string[] = []
    for (let index = 1; index <= waiting; index += 1)
      rest.push(await yard.submit(demo, { word: `${index}`, gate: gate.path }, `visitor-${index}`))
    return { gate, ids: [first, ...rest] }
  }
  const allEnded = (ids: readonly string[]) => Promise.all(ids.map((id) => yard.prediction(demo, id)))

  test('a full one refuses with 429 and when to come back, and loses nothing', async () => {
    const { gate, ids } = await occupied('full', 3)
    const refused = await yard.ask<{ error: string }>('POST', predictions(), { input: { word: 'x' } })
    expect([refused.status, refused.headers['retry-after'], refused.body.error]).toEqual([
      429,
      '30',
      expect.stringContaining('3 predictions wait'),
    ])
    await gate.open()
    expect((await allEnded(ids)).map(({ status }) => status)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'succeeded',
    ])
    expect(await gate.runs()).toEqual(['first', '1', '2', '3'])
  })

  describe('of a burst that arrives at once', () => {
    let ids: string[]
    let gate: ReturnType<DaemonYard['gate']>
    /** Sends twelve at once while one runs. Each name says whose it is and from where. */
    const burst = async (name: string, headers: (index: number) => Record<string, string>) => {
      const before = await occupied(name, 0)
      gate = before.gate
      const body = { input: { word: 'x', gate: gate.path } }
      const post = (index: number) =>
        yard.ask<{ id: string; error: string }>('POST', predictions(), body, {
          prefer: 'respond-async',
          ...headers(index),
        })
      const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => post(index)))
      const taken = answers.filter(({ status }) => status === 202)
      ids = [...before.ids, ...taken.map((answer) => answer.body.id)]
      const refused = answers.filter(({ status }) => status === 429)
      expect(refused.map((answer) => answer.headers['retry-after'])).toEqual(Array(12 - taken.length).fill('30'))
      return { taken: taken.length, errors: [...new Set(refused.map((answer) => answer.body.error))] }
    }
    afterEach(async () => {
      await gate.open()
      expect((await allEnded(ids)).map(({ status }) => status)).toEqual(ids.map(() => 'succeeded'))
    })

    test('as many are taken as may wait', async () => {
      const { taken, errors } = await burst('burst', (index) => ({ 'origami-visitor': `visitor-${index}` }))
      expect([taken, errors]).toEqual([3, ['3 predictions wait for this demo already; try again later']])
    })

    test('of one visitor as many are taken as one may have waiting', async () => {
      const { taken, errors } = await burst('burst-visitor', () => ({ 'origami-visitor': 'ann' }))
      expect([taken, errors]).toEqual([
        2,
        [expect.stringContaining('2 predictions of yours wait for this demo already')],
      ])
    })

    test('of calls that name no visitor, such as a program of the operator, so many together', async () => {
      expect(await burst('burst-nobody', () => ({}))).toMatchObject({
        taken: 2,
        errors: [expect.stringContaining('of yours')],
      })
    })

    test('of one address so many, whatever visitors they are', async () => {
      const headers = (index: number) => ({ 'origami-visitor': `v-${index}`, 'origami-address': 'ip-1' })
      const { taken, errors } = await burst('burst-address', headers)
      expect([taken, errors]).toEqual([2, [expect.stringContaining('2 predictions from your address wait')]])
    })

    test('and under one id one is taken, and all are answered with it', async () => {
      const before = await occupied('burst-id', 1)
      gate = before.gate
      const body = { input: { word: 'same', gate: gate.path } }
      const headers = { prefer: 'respond-async', 'origami-visitor': 'visitor-1' }
      const put = () => yard.ask<PredictionSnapshot>('PUT', `${predictions()}/same-id-for-all`, body, headers)
      const answers = await Promise.all(Array.from({ length: 6 }, put))
      expect(answers.map(({ status, body: { id } }) => [status, id])).toEqual(Array(6).fill([202, 'same-id-for-all']))
      ids = [...before.ids, 'same-id-for-all']
    })
  })

  test('one that is sent twice under one id runs once', async () => {
    const { gate, ids } = await occupied('twice', 0)
    const body = { input: { word: 'once', gate: gate.path } }
    const put = () =>
      yard.ask<PredictionSnapshot>('PUT', `${predictions()}/my-own-id-1`, body, { prefer: 'respond-async' })
    const answers = [await put(), await put()]
    expect(answers.map(({ status, body: { id } }) => [status, id])).toEqual([
      [202, 'my-own-id-1'],
      [202, 'my-own-id-1'],
    ])
    await gate.open()
    await allEnded([...ids, 'my-own-id-1'])
    expect(await gate.runs()).toEqual(['first', 'once'])
    expect((await put()).body).toMatchObject({ status: 'succeeded', output: 'once, version 1' })
  })

  test('its visitor cancels one that waits or runs, nobody else does; those behind move up', async () => {
    // Of this demo it is not known how long its runs take, so the one that is canceled has not been sent.
    demo = (await yard.deploy('canceling')).demo
    const { gate, ids } = await occupied('canceled', 2)
    const [running = '', next = '', last = ''] = ids
    const cancel = (id: string, visitor: string) =>
      yard.ask('POST', `${predictions()}/${id}/cancel`, {}, { 'origami-visitor': visitor })
    expect((await cancel(next, 'somebody')).status).toBe(404)
    expect((await cancel(next, 'visitor-1')).status).toBe(200)
    expect(await yard.prediction(demo, next)).toMatchObject({ status: 'canceled' })
    expect((await yard.prediction(demo, last, () => true)).queue).toMatchObject({ position: 1 })
    expect((await cancel(running, 'visitor-0')).status).toBe(200)
    expect(await yard.prediction(demo, running)).toMatchObject({ status: 'canceled' })
    await gate.open()
    expect(await yard.prediction(demo, last)).toMatchObject({ status: 'succeeded' })
    expect((await cancel(last, 'visitor-2')).status).toBe(404)
    expect(await gate.runs()).toEqual(['first', '2'])
  })

  test('its owner, for whom the web server asks without a visitor, cancels any', async () => {
    const { gate, ids } = await occupied('owner', 1)
    expect((await yard.ask('POST', `${predictions()}/${ids[1]}/cancel`, {})).status).toBe(200)
    expect(await yard.prediction(demo, ids[1] ?? '')).toMatchObject({ status: 'canceled' })
    await gate.open()
    await allEnded(ids)
  })

  test('an estimate is there after three runs', async () => {
    for (const word of ['a', 'b', 'c']) await yard.prediction(demo, await yard.submit(demo, { word }))
    const { gate, ids } = await occupied('estimate', 1)
    const { queue } = await yard.prediction(demo, ids[1] ?? '', () => true)
    expect(queue?.position).toBe(1)
    expect(queue?.eta).toBeGreaterThan(0)
    await gate.open()
    await allEnded(ids)
  })

  test('what is wrong with an input is said at once, and takes no place', async () => {
    const answer = await yard.ask<{ detail: unknown[] }>('POST', predictions(), { input: { wrod: 'x' } })
    expect(answer.status).toBe(422)
    expect(JSON.stringify(answer.body.detail)).toContain('wrod')
    expect(await yard.detail(demo)).toMatchObject({ waiting: 0, running: 0 })
  })

  test('a version with other inputs comes live: what no longer fits fails, the rest is answered', async () => {
    // Of this demo it is not known how long its runs take, so none is sent to its instance before its turn.
    demo = (await yard.deploy('changing')).demo
    const { gate, ids } = await occupied('changed', 1)
    const fits = await yard.submit(demo, { word: 'fits' }, 'visitor-2')
    const narrower = await DaemonYard.model((source) =>
      source
        .replace(', gate: text({ optional: true })', '')
        .replaceAll(/^ {4}(if|while) \(gate.*\n/gm, '')
        .replace('{ word, gate }, { signal }', '{ word }'),
    )
    const { deployment } = await yard.trigger(await yard.push('changing', narrower))
    await vi.waitFor(async () => expect((await yard.detail(demo)).newest?.state).toBe('running'))
    await gate.open()
    expect(await yard.prediction(demo, ids[0] ?? '')).toMatchObject({ status: 'succeeded' })
    expect(await yard.prediction(demo, ids[1] ?? '')).toMatchObject({
      status: 'failed',
      reason: 'invalid',
      error: expect.stringContaining('gate'),
    })
    expect(await yard.prediction(demo, fits)).toMatchObject({ error: null, status: 'succeeded', deployment })
  })
})

describe('predictions of several demos', () => {
  test('never run more at a time than the host takes', async () => {
    await using yard = await DaemonYard.open({ running: 1 })
    const [{ demo: one }, { demo: two }] = [await yard.deploy('host-1'), await yard.deploy('host-2')]
    const gate = yard.gate()
    const first = await yard.submit(one, { word: 'first', gate: gate.path })
    const second = await yard.submit(two, { word: 'second', gate: gate.path })
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['first']))
    // The daemon hears a little later that it runs.
    await yard.prediction(one, first, ({ status }) => status === 'processing')
    expect(await yard.prediction(two, second, () => true)).toMatchObject({ status: 'starting' })
    await gate.open()
    await Promise.all([yard.prediction(one, first), yard.prediction(two, second)])
    expect(await gate.runs()).toEqual(['first', 'second'])
  })
})

describe('results and uploads', () => {
  test('go when their time is over, but for what still waits', async () => {
    await using yard = await DaemonYard.open({ resultDays: 30, uploadHours: 24 })
    const { demo } = await yard.deploy('old')
    const old = await yard.submit(demo, { word: 'old' })
    await yard.prediction(demo, old)
    const gate = yard.gate()
    const waiting = await yard.submit(demo, { word: 'waits', gate: gate.path })
    await vi.waitFor(async () => expect(await gate.runs()).toEqual(['waits']))
    yard.ahead += 31 * 86_400_000
    await vi.waitFor(async () => expect((await yard.ask('GET', `/demos/${demo}/predictions/${old}`)).status).toBe(404))
    await gate.open()
    expect(await yard.prediction(demo, waiting)).toMatchObject({ status: 'succeeded' })
  })
})
