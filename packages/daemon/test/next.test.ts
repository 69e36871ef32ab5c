import type { DemoId, PredictionId, VisitorId } from '@origami/protocol/demo'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimate, placeOf, next as rowsNext, type Waiting } from '../src/predictions/next.ts'

const row = (id: string, demo: string, visitor: string | null, running = false): Waiting => ({
  id: id as PredictionId,
  demo: demo as DemoId,
  visitor: visitor as VisitorId | null,
  running,
})
const one = new Map([['poet' as DemoId, 1]])
const two = new Map([['poet' as DemoId, 2]])
const limits = { running: 8 }
const next = (...given: Parameters<typeof rowsNext>) => rowsNext(...given).map(({ id }) => id)

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
    expect(next([row('a1', 'poet', 'ann', true), row('a2', 'poet', 'ann'), row('b1', 'poet', 'bob')], two, limits)).toEqual([
      'b1',
    ])
  })

  test('nobody goes to a demo without a route, nor beyond its concurrency or the host', () => {
    expect(next([row('a', 'other', 'ann')], one, limits)).toEqual([])
    expect(next([row('a', 'poet', 'ann', true), row('b', 'poet', 'bob')], one, limits)).toEqual([])
    expect(next([row('a', 'poet', 'ann'), row('b', 'poet', 'bob')], two, { running: 1 })).toEqual(['a'])
  })

  test('never exceeds a limit, and never leaves a free place while somebody may take it', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('x', 'y'), fc.constantFrom('ann', 'bob', null), fc.boolean()), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 6 }), (given, places, host) => {
        const all = given.map(([demo, visitor, running], index) => row(String(index), demo, visitor, running))
        const chosen = next(all, new Map([['x' as DemoId, places]]), { running: host })
        const busy = all.filter((entry) => entry.running)
        const onX = busy.filter((entry) => entry.demo === 'x').length
        const waiting = all.filter((entry) => entry.demo === 'x' && !entry.running).length
        const free = Math.max(0, Math.min(places - onX, host - busy.length))
        expect(chosen).toHaveLength(Math.min(free, waiting))
        expect(new Set(chosen).size).toBe(chosen.length)
      }),
    )
  })
})

test('an estimate is the median of the last runs times the rounds before it, and none below three runs', () => {
  expect(estimate(1, 1, [1, 2])).toBeNull()
  expect(estimate(3, 1, [1, 2, 90])).toBe(6)
  expect(estimate(3, 2, [1, 2, 90])).toBe(4)
})
