import type { DemoId, PredictionEvent, PredictionId, VisitorId } from '@origami/protocol/demo'
import { randomId } from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Arrivals } from '../../packages/daemon/src/predictions/arrivals.ts'
import { OpenPredictions } from '../../packages/daemon/src/predictions/open-predictions.ts'
import { Turns } from '../../packages/daemon/src/predictions/turns/turns.ts'
import { Commits } from '../../packages/daemon/src/store/commits.ts'
import { Statements } from '../statements.ts'
import { QueueBench } from './queue-bench.ts'
import type { ScriptedInstance } from './scripted-instance.ts'

let bench: QueueBench
let instance: ScriptedInstance
let demo: DemoId
let leaving: AbortController
beforeEach(async () => {
  leaving = new AbortController()
  bench = await QueueBench.open({ liveEvents: 50 })
  instance = await bench.instance()
  demo = await bench.demo(instance)
})
afterEach(async () => {
  leaving.abort()
  await bench[Symbol.asyncDispose]()
})

/** Follows a prediction as an open page does. */
function follow(prediction: Prediction, signal = leaving.signal): { seen: PredictionEvent[]; done: Promise<void> } {
  const seen: PredictionEvent[] = []
  const reading = async () => {
    for await (const event of prediction.events(0, signal)) seen.push(event)
  }
  return { seen, done: reading() }
}

/** The type of the first event of the run itself. */
async function afterPlaces(events: AsyncIterator<PredictionEvent>): Promise<string> {
  for (;;) {
    const { value } = await events.next()
    if (value.type !== 'queue') return value.type
  }
}

const rowsChanged = async () => (await sql<{ n: number }>`SELECT total_changes() AS n`.execute(bench.db)).rows[0]?.n

describe('who follows a prediction', () => {
  test('is not woken by what happens to another demo', async () => {
    const other = await bench.instance()
    const elsewhere = await bench.demo(other)
    const oneRunsElsewhere = async () => {
      const prediction = await bench.submit(elsewhere)
      const follower = follow(prediction)
      const run = await other.run(prediction)
      for (let index = 0; index < 20; index += 1)
        run.tell({ type: 'log', data: { source: 'stdout', data: `${index}` } })
      run.end()
      await follower.done
    }
    using statements = new Statements()
    const asked = async (work: () => Promise<void>) => {
      const before = statements.count
      await work()
      return statements.count - before
    }
    await oneRunsElsewhere()
    const alone = await asked(oneRunsElsewhere)

    await bench.submit(demo)
    const pages: ReturnType<typeof follow>[] = []
    for (let index = 0; index < 50; index += 1) pages.push(follow(await bench.submit(demo, {}, `visitor-${index}`)))
    await vi.waitFor(() => expect(pages.every(({ seen }) => seen.length > 0)).toBe(true))
    await vi.waitFor(async () => expect(await asked(async () => {})).toBe(0))
    expect((await asked(oneRunsElsewhere)) - alone).toBeLessThan(50)
  })

  test('sees its place change as those before it end', async () => {
    const [first, second] = [await bench.submit(demo), await bench.submit(demo)]
    const third = await bench.submit(demo)
    const { seen } = follow(third)
    const places = () => seen.flatMap((event) => (event.type === 'queue' ? event.data.position : []))
    await vi.waitFor(() => expect(places().at(-1)).toBe(2))
    ;(await instance.run(first)).end()
    ;(await instance.run(second)).tell({ type: 'log', data: { source: 'stdout', data: 'x' } })
    await vi.waitFor(() => expect(places().at(-1)).toBe(1))
  })

  test('and is slow gets what it may still need, and holds back nobody', async () => {
    const prediction = await bench.submit(demo)
    const run = await instance.run(prediction)
    const slow = prediction.events(0, leaving.signal)[Symbol.asyncIterator]()
    expect(await afterPlaces(slow)).toBe('start')
    for (let index = 0; index < 1000; index += 1)
      run.tell({ type: 'output', data: { field: 'said', mode: 'append', chunk: `${index} `, index } })
    const quick = follow(prediction)
    await vi.waitFor(() => expect(quick.seen.at(-1)).toMatchObject({ data: { chunk: '999 ' } }))
    const read: PredictionEvent[] = []
    let said = ''
    while (!said.endsWith('999 ')) {
      const { value } = await slow.next()
      read.push(value)
      if (value.type === 'output') said = value.data.mode === 'append' ? said + value.data.chunk : value.data.chunk
    }
    expect(said).toBe(Array.from({ length: 1000 }, (_, index) => `${index} `).join(''))
    expect(read.length).toBeLessThan(60)
    run.end()
    await quick.done
  })
})

test('a read writes nothing', async () => {
  const running = await bench.submit(demo)
  await instance.run(running)
  await vi.waitFor(async () => expect(await running.snapshot()).toMatchObject({ status: 'processing' }))
  const waiting = await bench.submit(demo)
  const before = await rowsChanged()
  const predictor = await bench.predictor(demo)
  for (const { id } of [running, waiting]) {
    const found = await predictor.find(id)
    await found?.snapshot()
  }
  await predictor.schema()
  await predictor.health()
  const { seen } = follow(waiting)
  await vi.waitFor(() => expect(seen).toHaveLength(1))
  expect(await rowsChanged()).toBe(before)
})

describe('predictions that arrive together', () => {
  test('are all stored, but for one whose demo was removed meanwhile: its caller alone is told', async () => {
    const { db, changed, limits } = bench
    const open = new OpenPredictions(db, changed)
    const arrivals = new Arrivals({
      db,
      commits: new Commits(db),
      changed,
      limits,
      open,
      turns: new Turns(open, limits),
    })
    const row = (demoId: DemoId) => {
      const common = { visitor: null, status: 'starting' as const, input: '{}', created_at: new Date().toISOString() }
      return { row: { ...common, id: randomId() as PredictionId, demo_id: demoId }, files: [] }
    }
    const together = [row(demo), row('0'.repeat(32) as DemoId), row(demo)].map((each) => arrivals.add(each))
    const [first, removed, last] = await Promise.allSettled(together)
    expect([first, last]).toEqual([1, 2].map(() => ({ status: 'fulfilled', value: expect.any(Number) })))
    expect(removed).toMatchObject({ status: 'rejected', reason: { name: 'Gone', message: 'This demo was removed.' } })
  })

  test('under one id are one', async () => {
    const predictor = await bench.predictor(demo)
    const request = { id: randomId() as PredictionId, input: { word: 'x' }, visitor: 'ann' as VisitorId }
    const all = await Promise.all(Array.from({ length: 5 }, () => predictor.submit(request)))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    expect(await bench.db.selectFrom('predictions').select('id').execute()).toHaveLength(1)
  })
})
