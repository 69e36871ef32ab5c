import fc from 'fast-check'
import { expect, it } from 'vitest'
import { requestLine } from '../../src/control/endpoint.ts'

it('what is sent stands encoded in its place, and what is not said is left out', () => {
  expect(requestLine('GET /health', {})).toEqual({ method: 'GET', path: '/health' })
  expect(
    requestLine('DELETE /demos/:demo/results/:id', {
      params: { demo: 'a b', id: '../x?y=1#z' },
      query: { visitor: 'ann & co', limit: 3, after: undefined },
    }),
  ).toEqual({ method: 'DELETE', path: '/demos/a%20b/results/..%2Fx%3Fy%3D1%23z?visitor=ann+%26+co&limit=3' })
})

const param = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/^\.{1,2}$/.test(text))

it('whatever is sent comes to the same endpoint with the same values, by fetch too, which tidies paths up', () => {
  fc.assert(
    fc.property(param, param, fc.string({ unit: 'grapheme' }), (demo, id, visitor) => {
      const { path } = requestLine('GET /demos/:demo/results/:id', { params: { demo, id }, query: { visitor } })
      const url = new URL(`http://x${path}`)
      const [, ...segments] = url.pathname.split('/')
      expect(segments.map(decodeURIComponent)).toEqual(['demos', demo, 'results', id])
      expect([...url.searchParams]).toEqual([['visitor', visitor]])
    }),
  )
})

it.each(['', '.', '..', undefined])('%j in the place of a parameter would lead elsewhere, and is refused', (demo) => {
  expect(() => requestLine('DELETE /demos/:demo/queue', { params: { demo } })).toThrow(
    new RangeError(`expected a value for :demo of DELETE /demos/:demo/queue, got ${JSON.stringify(demo)}`),
  )
})
