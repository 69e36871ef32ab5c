import type { DemoId, PredictionId, VisitorId } from '@origami/protocol/demo'
import { expect, test, vi } from 'vitest'
import type { Stand } from '../../../src/predictions/turns/demo-line.ts'
import { fairOrder, next, nextAhead } from '../../../src/predictions/turns/next.ts'
import { Ranks } from '../../../src/predictions/turns/ranks.ts'
import { SendOrder } from '../../../src/predictions/turns/send-order.ts'

interface Row {
  arrival: number
  id: PredictionId
  demo: DemoId
  visitor: VisitorId | null
  address: string | null
  running: boolean
  ahead: boolean
}

const steps = 100_000

/** Numbers from 0 to below 1, the same in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The rows of a queue, and their order kept beside. */
class Both {
  rows: Row[] = []
  readonly order = new SendOrder()
  private readonly random: () => number
  private arrivals = 0

  constructor(random: () => number) {
    this.random = random
  }

  /** Something arrives, begins, waits again or ends. */
  step(most: number): void {
    const what = this.random()
    const row = this.rows[Math.floor(this.random() * this.rows.length)]
    if (!row || (what < 0.4 && this.rows.length < most)) this.arrive()
    else if (what < 0.75) this.stand(row, this.other(row))
    else this.end(row)
  }

  stand(row: Row, stand: Stand): void {
    row.running = stand === 'holds'
    row.ahead = stand === 'ahead'
    this.order.set(row, stand)
  }

  private other({ running, ahead }: Row): Stand {
    if (ahead) return this.random() < 0.8 ? 'holds' : 'waits'
    return running ? 'waits' : this.random() < 0.3 ? 'ahead' : 'holds'
  }

  private arrive(): void {
    const one = <Value>(values: readonly Value[]) => values[Math.floor(this.random() * values.length)] as Value
    this.arrivals += 1
    // Now and then one caller is alone for long.
    const isAlone = this.arrivals % 4000 > 2000
    const row = {
      arrival: this.arrivals,
      id: `p${this.arrivals}` as PredictionId,
      demo: one(['a', 'b', 'c']) as DemoId,
      visitor: (isAlone ? 'ann' : one(['ann', 'bob', 'cas', null])) as VisitorId | null,
      address: isAlone ? 'x' : one(['x', 'y', null]),
      running: this.random() < 0.1,
      ahead: false,
    }
    this.rows.push(row)
    this.order.set(row, row.running ? 'holds' : 'waits')
  }

  private end(row: Row): void {
    this.rows.splice(this.rows.indexOf(row), 1)
    this.order.delete(row.arrival)
  }
}

test(`what is next, and who has which place, is the same as computed from all rows, for ${steps} random steps`, () => {
  const random = seeded(20261130)
  const both = new Both(random)
  let sentAhead = 0
  for (let step = 0; step < steps; step += 1) {
    // Long lines are compared now and then, short ones at each step.
    const isLong = step % 1000 > 950
    both.step(isLong ? 80 : 12)
    if (isLong && step % 10 > 0) continue
    const { rows, order } = both
    const limits = { running: 1 + Math.floor(random() * 8), runningPerDemo: random() < 0.5 ? 1 : 0.5 }
    const concurrency = new Map(['a', 'b'].map((demo) => [demo as DemoId, Math.floor(random() * 5)] as const))
    const room = new Map(
      [...concurrency].map(([demo, most]) => [demo, { concurrency: most, ahead: step % 3 }] as const),
    )
    const first = order.next((demo) => room.get(demo), limits)
    const [expected] = next(rows, concurrency, limits)
    const isAhead = expected === undefined
    if (first?.row !== (expected ?? nextAhead(rows, room, limits))?.arrival || (first && first.isAhead !== isAhead))
      expect.fail(`step ${step}: ${JSON.stringify(rows)}`)
    if (first?.isAhead) sentAhead += 1
    const lines = Map.groupBy(fairOrder(rows), ({ demo }) => demo)
    for (const line of lines.values())
      for (const [index, { arrival }] of line.entries())
        if (order.placeOf(arrival) !== index + 1) expect.fail(`step ${step}, place ${index}: ${JSON.stringify(line)}`)
  }
  expect([both.rows.length > 0, sentAhead > 1000]).toEqual([true, true])
}, 60_000)

test('all that may be sent at once are the same, in the same order', () => {
  const random = seeded(7)
  for (let round = 0; round < 500; round += 1) {
    const both = new Both(random)
    for (let step = 0; step < 60; step += 1) both.step(40)
    const limits = { running: 1 + Math.floor(random() * 12), runningPerDemo: 0.75 }
    const concurrency = new Map(['a', 'b', 'c'].map((demo) => [demo as DemoId, 1 + Math.floor(random() * 5)] as const))
    const expected = next(both.rows, concurrency, limits).map(({ arrival }) => arrival)
    const sent: number[] = []
    for (;;) {
      const room = (demo: DemoId) => ({ concurrency: concurrency.get(demo) ?? 0, ahead: 0 })
      const chosen = both.order.next(room, limits)
      const row = both.rows.find((each) => each.arrival === chosen?.row)
      if (!row) break
      sent.push(row.arrival)
      both.stand(row, 'holds')
    }
    expect(sent).toEqual(expected)
  }
})

test('who joins behind a thousand of one caller, goes from there or ends moves none of them', () => {
  const moves = vi.spyOn(Ranks.prototype, 'add')
  const order = new SendOrder()
  const row = (arrival: number) => ({ arrival, id: `p${arrival}` as PredictionId, ...caller })
  const caller = { demo: 'a' as DemoId, visitor: 'ann' as VisitorId, address: null }
  for (let arrival = 1; arrival <= 1000; arrival += 1) order.set(row(arrival), 'waits')
  expect(moves).toHaveBeenCalledTimes(1000)
  for (let arrival = 1; arrival <= 100; arrival += 1) {
    order.set(row(arrival), 'ahead')
    order.set(row(arrival), 'holds')
    order.delete(arrival)
    expect([order.placeOf(arrival + 1), order.placeOf(1000)]).toEqual([1, 1000 - arrival])
  }
  expect(moves).toHaveBeenCalledTimes(1000)
  // From here on turns are compared with those of others.
  order.set({ ...row(1001), visitor: 'bob' as VisitorId }, 'waits')
  order.set({ ...row(1002), visitor: 'bob' as VisitorId }, 'waits')
  expect([101, 1001, 102, 1002, 103].map((arrival) => order.placeOf(arrival))).toEqual([1, 2, 3, 4, 5])
  moves.mockRestore()
})

test('when all of a caller leave at once, nobody is moved for each of them', () => {
  const order = new SendOrder()
  const row = (arrival: number) => ({ arrival, id: `p${arrival}` as PredictionId, demo: 'a' as DemoId, address: null })
  const who = (arrival: number) => (arrival % 100 === 0 ? 'bob' : 'ann') as VisitorId
  for (let arrival = 1; arrival <= 2000; arrival += 1) order.set({ ...row(arrival), visitor: who(arrival) }, 'waits')
  const [moves, looks] = [vi.spyOn(Ranks.prototype, 'add'), vi.spyOn(Map.prototype, 'get')]
  for (let arrival = 1; arrival <= 1900; arrival += 1) order.delete(arrival)
  expect(moves).not.toHaveBeenCalled()
  expect(looks.mock.calls.length).toBeLessThan(1900 * 20)
  looks.mockRestore()
  expect([1901, 2000, 1902, 1999].map((arrival) => order.placeOf(arrival))).toEqual([1, 2, 3, 100])
  expect(moves).toHaveBeenCalledTimes(100)
  moves.mockRestore()
})

test('what has ended or was never there has no place, and takes none', () => {
  const order = new SendOrder()
  const row = { arrival: 1, id: 'a' as PredictionId, demo: 'a' as DemoId, visitor: null, address: null }
  order.set(row, 'holds')
  expect([order.placeOf(1), order.placeOf(2), order.holding]).toEqual([undefined, undefined, 1])
  order.delete(1)
  order.delete(1)
  expect([order.holding, order.of(row.demo), [...order.demosWaiting]]).toEqual([
    0,
    { waiting: 0, holding: 0, ahead: 0 },
    [],
  ])
})
