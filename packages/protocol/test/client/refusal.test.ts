import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal, readRefusal, refusalOf, type Unread } from '../../src/client/refusal.ts'

const answer = (text: () => Promise<string>, headers: Record<string, string> = {}): Unread => ({
  status: 503,
  headers: new Headers(headers),
  text,
})

const withoutMessage = {
  message: 'The server answered 502.',
  serverMessage: undefined,
  problems: [],
  retryAfterSeconds: undefined,
}

describe('what a server said when it refused', () => {
  test.each([
    ['our own words', { error: 'Full.', detail: 'x', message: 'y' }, 'Full.'],
    ["FastAPI's one sentence", { error: '', detail: 'Not found', message: 'y' }, 'Not found'],
    ["a proxy's", { message: 'Upstream is away' }, 'Upstream is away'],
    ['what is wrong with the whole', { error: 'x', detail: [{ loc: ['body'], msg: 'Too long' }] }, 'Too long'],
    [
      'nothing for people',
      { detail: [{ loc: ['body', 'input', 'word'], msg: 'Too long' }] },
      'The server answered 400.',
    ],
  ])('its message is %s', (_what, body, message) => {
    expect(refusalOf(400, JSON.stringify(body), null).message).toBe(message)
  })

  test('where it had no words, its caller has some', () => {
    const refusal = refusalOf(404, '', null, (status) => `There is none (${status}).`)
    expect(refusal).toMatchObject({ message: 'There is none (404).', serverMessage: undefined })
  })

  test.each([
    ['0', 0],
    ['120', 120],
    ['999999999', 999_999_999],
    ['1e3', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    [' 7', undefined],
    ['1234567890', undefined],
    ['', undefined],
    [null, undefined],
  ])('retry-after %j is %j seconds', (header, seconds) => {
    expect(refusalOf(429, '{}', header).retryAfterSeconds).toBe(seconds)
  })

  test('an answer that breaks off is a refusal with its status', async () => {
    const broken = answer(() => Promise.reject(new Error('terminated')), { 'retry-after': '3' })
    const refusal = await readRefusal(broken)
    expect(refusal).toMatchObject({ status: 503, message: 'The server answered 503.', retryAfterSeconds: 3 })
  })

  test('whatever it said, it is a Refusal of sound parts', () => {
    const json = fc.oneof(
      fc.json(),
      fc
        .record({ error: fc.jsonValue(), detail: fc.array(fc.record({ loc: fc.jsonValue(), msg: fc.jsonValue() })) })
        .map((one) => JSON.stringify(one)),
      fc.string(),
    )
    fc.assert(
      fc.property(json, (text) => {
        const refusal = refusalOf(500, text, null)
        expect(refusal).toBeInstanceOf(Refusal)
        expect(refusal.message).not.toBe('')
        for (const { type, message, field } of refusal.problems)
          expect([typeof type, typeof message, ['undefined', 'string'].includes(typeof field)]).toEqual([
            'string',
            'string',
            true,
          ])
      }),
    )
  })

  test.each([
    ['nothing', ''],
    ['the page of a proxy', '<h1>Bad gateway</h1>'],
    ['half of an answer', '{"error": "The da'],
    ['null', 'null'],
    ['a list', '[{"error": "x"}]'],
    ['words that are none', '{"error": {"message": "x"}, "authorize": 3, "reason": ["x"]}'],
    ['no words', '{"error": ""}'],
  ])('of %s, its status is told', (_what, text) => {
    expect(refusalOf(502, text, 'Wed, 21 Oct 2026 07:28:00 GMT')).toMatchObject(withoutMessage)
  })

  test('names the fields that are wrong, whatever else stands between them', () => {
    const detail = [
      { loc: ['body', 'input', 'word'], msg: 'too long', type: 'value_error' },
      null,
      7,
      { loc: 'x', msg: 3 },
    ]
    const { message, problems } = refusalOf(422, JSON.stringify({ detail }), null)
    const vague = { type: 'value_error', message: 'was not taken' }
    expect(problems).toEqual([{ type: 'value_error', message: 'too long', field: 'word' }, vague, vague, vague])
    expect(message).toBe('was not taken')
  })

  test('its parts for programs are kept', () => {
    const text = JSON.stringify({ error: 'Sign in.', id: '4f', reason: 'sign_in', authorize: '/-/sign-in/x' })
    const said = { serverMessage: 'Sign in. (4f)', reason: 'sign_in', authorize: '/-/sign-in/x' }
    expect(refusalOf(401, text, null)).toMatchObject(said)
  })
})
