import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describedDemo, endMark, fileOnWire, fromWorker, parseFromWorker } from '../../src/runtime/wire/messages.ts'
import { schema } from '../pool/runs.ts'

const id = 'call-1'
const takes = (message: unknown): boolean => fromWorker.safeParse(message).success

describe('what a worker says', () => {
  test('is filled up where it may say less', () => {
    expect(fromWorker.parse({ type: 'ready' })).toEqual({ type: 'ready', slots: 1, ahead: 0 })
    const progress = { type: 'progress', id, done: 1 }
    expect(fromWorker.parse(progress)).toEqual({ ...progress, total: null, note: null })
  })

  test('that it ended is what it is by the schemas, also without them', () => {
    const few = fc.constantFrom<unknown>('done', 'failed', id, 'x'.repeat(101), true, null, 1, [], { said: 1 })
    const odd = fc.constantFrom('type', 'id', 'output', 'marked', 'more')
    const message = fc
      .dictionary(odd, fc.oneof(few, fc.jsonValue()))
      .map((changed) => ({ type: 'done', id, output: { said: 1 }, marked: true, ...changed }))
    fc.assert(
      fc.property(message, (sent) => {
        const value: unknown = JSON.parse(JSON.stringify(sent))
        const [parsed, wanted] = [parseFromWorker(value), fromWorker.safeParse(value)]
        expect([parsed.success, parsed.data]).toEqual([wanted.success, wanted.data])
      }),
      { numRuns: 500 },
    )
    const odder: unknown = JSON.parse('{"type": "done", "id": "call-1", "output": {"__proto__": 1}, "marked": true}')
    expect(parseFromWorker(odder)).toEqual(fromWorker.safeParse(odder))
  })

  test('beside a progress is cut to a line', () => {
    const { note } = fromWorker.parse({ type: 'progress', id, done: 1, note: 'x'.repeat(10_000) }) as { note: string }
    expect(note).toHaveLength(500)
  })

  test.each([
    ['no message', [null, 7, 'ready', [], [{ type: 'ready' }], {}]],
    ['of no known kind', [{ type: 'weather', id }, { type: '__proto__', id }, { type: ['ready'] }]],
    ['of slots that are none', [0, 65, 1.5, '4', null].map((slots) => ({ type: 'ready', slots }))],
    ['of no call', [{ type: 'canceled' }, { type: 'canceled', id: 7 }, { type: 'canceled', id: 'x'.repeat(101) }]],
    [
      'of progress that is no number',
      [
        { type: 'progress', id, done: '1' },
        { type: 'progress', id, done: null },
      ],
    ],
    [
      'printed nowhere',
      [
        { type: 'log', id, source: 'stdin', text: 'x' },
        { type: 'log', id, source: 'stdout' },
      ],
    ],
    ['of a part without a way to join', [{ type: 'output', id, field: 'x', mode: 'prepend', chunk: 1 }]],
    ['of an output without fields', [null, [], 5, 'x'].map((output) => ({ type: 'done', id, output }))],
    [
      'of an end without words',
      [
        { type: 'failed', id, error: 'x' },
        { type: 'failed', id, traceback: 'x' },
      ],
    ],
  ])('%s is refused', (_what, messages) => {
    expect(messages.filter(takes)).toEqual([])
  })

  test('of any kind and shape is parsed or refused, never thrown, and holds what its kind has alone', () => {
    const type = fc.constantFrom('schema', 'ready', 'setup_failed', 'progress', 'log', 'output', 'done', 'failed')
    const message = fc.tuple(type, fc.dictionary(fc.string(), fc.jsonValue())).map(([type, rest]) => ({
      id,
      done: 1,
      output: rest,
      error: '',
      traceback: '',
      ...rest,
      type,
    }))
    const known = new Set([
      'id',
      'done',
      'total',
      'note',
      'output',
      'marked',
      'error',
      'traceback',
      'type',
      'schema',
      'slots',
      'ahead',
    ])
    fc.assert(
      fc.property(fc.oneof(message, fc.jsonValue()), (sent) => {
        const parsed = fromWorker.safeParse(sent)
        if (parsed.success) expect(Object.keys(parsed.data).filter((key) => !known.has(key))).toEqual([])
      }),
    )
  })
})

test('a file is a path that is one', () => {
  expect(fileOnWire.parse({ path: '/tmp/a.png', size: 3 })).toEqual({ path: '/tmp/a.png' })
  for (const wrong of [{}, { path: '' }, { path: 'x'.repeat(4097) }, { path: 7 }, { path: '/a', name: 7 }, '/a', null])
    expect(fileOnWire.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false)
})

test('a demo may be without a title, and nothing else', () => {
  const { title: _, ...demo } = schema
  expect(describedDemo.parse(demo).title).toBeUndefined()
  for (const key of ['api', 'inputs', 'outputs'] as const)
    expect(describedDemo.safeParse({ ...demo, [key]: undefined }).success, key).toBe(false)
})

test('the end of what a call printed is one line that no other call ends with', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (one, other) => {
      expect(endMark(one).indexOf('\n')).toBe(endMark(one).length - 1)
      fc.pre(one !== other)
      expect(endMark(one)).not.toBe(endMark(other))
    }),
  )
})
