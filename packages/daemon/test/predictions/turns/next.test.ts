import type { DemoId, PredictionId, VisitorId } from '@origami/protocol/demo'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimate, fairOrder, placeOf, next as rowsNext, type Waiting } from '../../../src/predictions/turns/next.ts'

const row = (
  id: string,
  demo: string,
  visitor: string | null,
  running = false,
  address: string | null = null,
): Waiting => ({
  id: id as PredictionId,
  demo: demo as DemoId,
  visitor: visitor as VisitorId | null,
  running,
  address,
})
const one = new Map([['poet' as DemoId, 1]])
const two = new Map([['poet' as DemoId, 2]])
const limits = { running: 8, runningPerDemo: 0.75 }
const allTo = (running: number) => ({ running, runningPerDemo: 1 })
const next = (...parameters: Parameters<typeof rowsNext>) => rowsNext(...parameters).map(({ id }) => id)

const anyPart = fc.constantFrom(0.01, 0.5, 0.75, 1)
const mostOf = (host: number, part: number) => Math.max(1, Math.floor(host * part))

describe('who goes next', () => {
  test('is who came first', () => {
    expect(next([row('a', 'poet', 'ann'), row('b', 'poet', 'bob')], one, limits)).toEqual(['a'])
    expect(next([row('a', 'poet', 'ann'), row('b', 'poet', 'bob')], two, limits)).toEqual(['a', 'b'])
  })

  test('is somebody else before anybody goes twice', () => {
    const rows = [row('a1', 'poet', 'ann'), row('a2', 'poet', 'ann'), row('b1', 'poet', 'bob')]
    expect(next(rows, two, limits)).toEqual(['a1', 'b1'])
    expect(placeOf(rows, 'a2' as PredictionId)).toBe(3)
  })

  test('counts what a visitor has running', () => {
    expect(
      next([row('a1', 'poet', 'ann', true), row('a2', 'poet', 'ann'), row('b1', 'poet', 'bob')], two, limits),
    ).toEqual(['b1'])
  })

  test('is another address before one address goes twice, however many cookies it has', () => {
    const rows = [row('a', 'poet', 'cookie-1', false, 'x'), row('b', 'poet', 'cookie-2', false, 'x')]
    expect(next([...rows, row('c', 'poet', 'cookie-3', false, 'y')], two, limits)).toEqual(['a', 'c'])
    const busy = [row('a', 'poet', 'cookie-1', true, 'x'), row('b', 'poet', 'cookie-2', false, 'x')]
    expect(next([...busy, row('c', 'poet', 'cookie-3', false, 'y')], two, limits)).toEqual(['c'])
  })

  test('is, of those at one address, each visitor before anybody of them goes twice', () => {
    const rows = ['a', 'a', 'b'].map((visitor, index) => row(`${visitor}${index}`, 'poet', visitor, false, 'x'))
    expect(next(rows, two, limits)).toEqual(['a0', 'b2'])
  })

  test('is, of those without an address, each visitor by itself', () => {
    const rows = [row('a', 'poet', 'ann', false, 'x'), row('b', 'poet', 'bob'), row('c', 'poet', 'cas')]
    expect(fairOrder(rows).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test('is no address for the n-th time while another waits for fewer, whatever cookies they have', () => {
    const whose = fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.nat({ max: 5 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(whose, { maxLength: 40 }), (entries) => {
        const rows = entries.map(([address, cookie, running], index) =>
          row(String(index), 'poet', `${address}-${cookie}`, running, address),
        )
        const turns = new Map<string, number>()
        for (const { address, running } of rows)
          if (running) turns.set(`${address}`, (turns.get(`${address}`) ?? 0) + 1)
        let highest = 0
        for (const { address } of fairOrder(rows)) {
          const turn = (turns.get(`${address}`) ?? 0) + 1
          turns.set(`${address}`, turn)
          expect(turn).toBeGreaterThanOrEqual(highest)
          highest = Math.max(highest, turn)
        }
      }),
    )
  })

  test('nobody goes to a demo without a route, nor beyond its concurrency or the host', () => {
    expect(next([row('a', 'other', 'ann')], one, limits)).toEqual([])
    expect(next([row('a', 'poet', 'ann', true), row('b', 'poet', 'bob')], one, limits)).toEqual([])
    expect(next([row('a', 'poet', 'ann'), row('b', 'poet', 'bob')], two, { ...limits, running: 1 })).toEqual(['a'])
  })

  test('never exceeds a limit, and of what one demo may hold no free place is left while somebody may take it', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('x', 'y'), fc.constantFrom('ann', 'bob', null), fc.boolean()), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        anyPart,
        (entries, places, host, part) => {
          const all = entries.map(([demo, visitor, running], index) => row(String(index), demo, visitor, running))
          const chosen = next(all, new Map([['x' as DemoId, places]]), { running: host, runningPerDemo: part })
          const busy = all.filter((entry) => entry.running)
          const onX = busy.filter((entry) => entry.demo === 'x').length
          const waiting = all.filter((entry) => entry.demo === 'x' && !entry.running).length
          const free = Math.max(0, Math.min(places - onX, mostOf(host, part) - onX, host - busy.length))
          expect(chosen).toHaveLength(Math.min(free, waiting))
          expect(new Set(chosen).size).toBe(chosen.length)
        },
      ),
    )
  })
})

describe('demos among each other', () => {
  const wide = (...demos: string[]) => new Map(demos.map((demo) => [demo as DemoId, 64] as const))
  const many = (demo: string, count: number, running = false) =>
    Array.from({ length: count }, (_, index) => row(`${demo}${running ? 'r' : 'w'}${index}`, demo, null, running))
  const perDemo = (ids: readonly string[]) =>
    Object.fromEntries([...Map.groupBy(ids, (id) => id[0])].map(([key, all]) => [key, all.length]))

  test.each([
    [1, 0.75, 1],
    [2, 0.75, 1],
    [8, 0.75, 6],
    [8, 1, 8],
    [8, 0.01, 1],
  ])('of %i places one that is alone holds its part (%d): %i', (running, runningPerDemo, expected) => {
    expect(next(many('a', 20), wide('a'), { running, runningPerDemo })).toHaveLength(expected)
  })

  test('the first that comes to another finds a place at once, however long the one before was alone', () => {
    for (let running = 2; running <= 12; running += 1) {
      let rows: Waiting[] = many('a', 20)
      const started = new Set(rowsNext(rows, wide('a', 'b'), { ...limits, running }))
      rows = [...rows.map((entry) => (started.has(entry) ? { ...entry, running: true } : entry)), row('b', 'b', null)]
      expect(next(rows, wide('a', 'b'), { ...limits, running })).toEqual(['b'])
    }
  })

  test.each([
    [[...many('a', 20), ...many('b', 20)], { a: 4, b: 4 }],
    [[...many('a', 20), ...many('b', 1)], { a: 6, b: 1 }],
    [[...many('a', 20), ...many('b', 20), ...many('c', 1, true)], { a: 3, b: 3 }],
    [[...many('a', 20), ...many('b', 20), ...many('c', 20)], { a: 3, b: 3, c: 2 }],
    [[...many('a', 5, true), ...many('a', 20), ...many('b', 20)], { b: 3 }],
    [[...many('a', 7, true), ...many('a', 20), ...many('b', 1)], { b: 1 }],
  ])('each gets its share while others could use a place, whoever came first (%#)', (rows, expected) => {
    expect(perDemo(next(rows, wide('a', 'b', 'c'), limits))).toEqual(expected)
  })

  test('a place that nobody else could use is nobody’s share', () => {
    const rows = [...many('a', 20), ...many('b', 5, true).slice(0, 1), ...many('b', 5), ...many('c', 5)]
    const routes = new Map([
      ['a' as DemoId, 64],
      ['b' as DemoId, 1],
    ])
    expect(perDemo(next(rows, routes, limits))).toEqual({ a: 6 })
  })

  const demos = ['a', 'b', 'c', 'd', 'e'] as const
  const anyRows = fc.array(fc.tuple(fc.constantFrom(...demos), fc.constantFrom('ann', 'bob', null), fc.boolean()), {
    maxLength: 60,
  })
  const anyRoutes = fc.dictionary(fc.constantFrom(...demos), fc.integer({ min: 1, max: 10 }))

  test('nobody gets a place while another who could use it holds fewer', () => {
    fc.assert(
      fc.property(anyRows, anyRoutes, fc.integer({ min: 1, max: 12 }), (entries, places, host) => {
        const rows = entries.map(([demo, visitor, running], index) => row(`${demo}${index}`, demo, visitor, running))
        const chosen = rowsNext(rows, new Map(Object.entries(places) as [DemoId, number][]), allTo(host))
        const held = (demo: string) =>
          [...rows.filter((entry) => entry.running), ...chosen].filter((entry) => entry.demo === demo).length
        const left = demos.filter(
          (demo) =>
            held(demo) < (places[demo] ?? 0) &&
            rows.some((entry) => entry.demo === demo && !entry.running && !chosen.includes(entry)),
        )
        for (const { demo } of chosen) for (const other of left) expect(held(demo)).toBeLessThanOrEqual(held(other) + 1)
      }),
    )
  })

  test('nobody comes to hold more than its part, nor than its fair share while another waits for a place', () => {
    fc.assert(
      fc.property(anyRows, anyRoutes, fc.integer({ min: 1, max: 12 }), anyPart, (entries, places, host, part) => {
        const rows = entries.map(([demo, visitor, running], index) => row(`${demo}${index}`, demo, visitor, running))
        const routes = new Map(Object.entries(places) as [DemoId, number][])
        const chosen = rowsNext(rows, routes, { running: host, runningPerDemo: part })
        const after = rows.map((entry) => (chosen.includes(entry) ? { ...entry, running: true } : entry))
        const held = (demo: string) => after.filter((entry) => entry.demo === demo && entry.running).length
        const most = (demo: string) => Math.min(mostOf(host, part), places[demo as 'a'] ?? 0)
        const left = demos.filter(
          (demo) => held(demo) < most(demo) && after.some((entry) => entry.demo === demo && !entry.running),
        )
        const active = demos.filter((demo) => held(demo) > 0 || left.includes(demo)).length
        for (const { demo } of chosen) {
          expect(held(demo)).toBeLessThanOrEqual(most(demo))
          if (left.some((other) => other !== demo)) expect(held(demo)).toBeLessThanOrEqual(Math.ceil(host / active))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('none that waits and has a route starves, however many others come, and in whatever order runs end', () => {
    const busy = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(busy, fc.nat()), { minLength: 60, maxLength: 60 }),
        (host, steps) => {
          const first = row('patient', 'c', 'cas')
          let rows: Waiting[] = [...many('a', 10), ...many('b', 10), first]
          for (const [index, [arrive, end]] of steps.entries()) {
            const started = new Set(rowsNext(rows, wide('a', 'b', 'c'), { ...limits, running: host }))
            if (started.has(first)) return
            rows = rows.map((entry) => (started.has(entry) ? { ...entry, running: true } : entry))
            const running = rows.filter((entry) => entry.running)
            const ended = running[end % running.length]
            rows = rows.filter((entry) => entry !== ended)
            for (const [at, demo] of arrive.entries()) rows.push(row(`${index}-${at}`, demo, null))
          }
          expect.fail('it never had its turn')
        },
      ),
      { numRuns: 200 },
    )
  })
})

test('an estimate is the median of the last runs times the rounds before it, and none below three runs', () => {
  expect(estimate(1, 1, [1, 2])).toBeNull()
  expect(estimate(3, 1, [1, 2, 90])).toBe(6)
  expect(estimate(3, 2, [1, 2, 90])).toBe(4)
})
