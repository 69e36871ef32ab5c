import { expect, it } from 'vitest'
import { requestLine } from '../src/control/endpoint.ts'

it('what is sent stands encoded in its place, and what is not said is left out', () => {
  expect(requestLine('GET /health', {})).toEqual({ method: 'GET', path: '/health' })
  expect(
    requestLine('DELETE /demos/:demo/results/:id', {
      params: { demo: 'a b', id: '../x?y=1#z' },
      query: { visitor: 'ann & co', limit: 3, after: undefined },
    }),
  ).toEqual({ method: 'DELETE', path: '/demos/a%20b/results/..%2Fx%3Fy%3D1%23z?visitor=ann+%26+co&limit=3' })
})
