import { Full, Gone, Invalid } from '@origami/protocol/demo'
import { expect, test } from 'vitest'
import { answerError, Misbehaved, ServerFault } from '../../src/client/refusal.ts'

const base = 'http://demo.test'
const error = (status: number, body: unknown = {}, retryAfter?: unknown) =>
  answerError(base, status, typeof body === 'string' ? body : JSON.stringify(body), retryAfter)

test.each([422, 413])('problems of an input that come with %s are problems of an input here', (status) => {
  const detail = [
    { loc: ['body', 'input', 'name'], msg: 'expected a name', type: 'value_error.missing' },
    { loc: ['body', 'input'], msg: 'expected less', type: 'value_error' },
  ]
  const invalid = error(status, { detail })
  expect(invalid).toBeInstanceOf(Invalid)
  expect(invalid).toHaveProperty('problems', [
    { field: 'name', message: 'expected a name', type: 'value_error.missing' },
    { message: 'expected less', type: 'value_error' },
  ])
})

test.each([
  [{ error: 'expected at most 5 bytes' }, 'expected at most 5 bytes'],
  ['<h1>Too large</h1>', 'it is too large'],
])('a 413 without problems is one: %j', (body, message) => {
  const invalid = error(413, body)
  expect(invalid).toBeInstanceOf(Invalid)
  expect(invalid).toHaveProperty('problems', [{ type: 'value_error.too_large', message }])
})

test.each([
  [429, Full, 'the queue is full'],
  [503, Gone, `${base} takes no predictions`],
  [507, Full, 'there is no room to store it'],
  [500, ServerFault, `${base} answered 500`],
  [502, ServerFault, `${base} answered 502`],
  [302, Misbehaved, `${base} answered 302`],
  [404, Misbehaved, `${base} answered 404`],
  [422, Misbehaved, `${base} answered 422`],
])('%s without words is a %o that says what is known', (status, kind, message) => {
  expect(error(status, 'no JSON')).toBeInstanceOf(kind)
  expect(error(status, 'no JSON').message).toBe(message)
})

test.each([
  [429, 'later'],
  [503, 'later'],
  [500, `${base} answered 500: "later"`],
  [404, `${base} answered 404: "later"`],
])('%s passes on the words that came', (status, message) => {
  expect(error(status, { error: 'later' }).message).toBe(message)
})

test('words of a server are logged as one short line', () => {
  const { message } = error(500, { error: `a\npredictions: well\u001b[2J${'x'.repeat(10_000)}` })
  expect(message).toContain(String.raw`: "a\npredictions: well\u001b[2J`)
  expect(message.length).toBeLessThan(500)
})

test('words of another shape than ours are not passed on', () => {
  expect(error(500, { error: { code: 7 } }).message).toBe(`${base} answered 500`)
})

test.each([
  ['17', 17],
  ['0', 0],
  ['99999', 5],
  ['-1', 5],
  ['Wed, 25 Nov 2026 07:28:00 GMT', 5],
  [['1', '2'], 5],
  [undefined, 5],
])('a full queue that names %j is asked again after %i s', (header, seconds) => {
  expect(error(429, {}, header)).toHaveProperty('retryAfterSeconds', seconds)
})
