import type { PredictionId, PredictionSnapshot } from '@origami/protocol/demo'
import { EventSource } from 'undici'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { demoClient } from '../../src/client/client.ts'
import { type FollowEvent, followPrediction } from '../../src/client/follow.ts'
import { DemoServer } from '../fixtures/demo-server.ts'
import { poet } from '../fixtures/model.ts'

let server: DemoServer
let base: string
beforeEach(async () => {
  vi.stubGlobal('EventSource', EventSource)
  server = await DemoServer.open('/nowhere', poet(0))
  base = await server.listen()
})
afterEach(async () => {
  vi.unstubAllGlobals()
  await server[Symbol.asyncDispose]()
})

const inputOf = (prompt: string) => ({ prompt })

/** Submits, and follows to the end. */
async function heard(): Promise<FollowEvent[]> {
  const { id } = await demoClient(base).submit(inputOf('sea'))
  const events: FollowEvent[] = []
  await new Promise<void>((ended) => {
    demoClient(base).follow(id, (event) => {
      events.push(event)
      if (event.type === 'completed' || event.type === 'gone') ended()
      if (event.type === 'snapshot' && event.data.completed_at !== null) ended()
    })
  })
  return events
}

describe('a page that follows a prediction', () => {
  test('hears all of it, and its end last', async () => {
    const events = await heard()
    expect(events.filter(({ type }) => type === 'line')).toEqual([{ type: 'line', data: { up: true } }])
    expect(events.filter(({ type }) => type === 'output').length).toBeGreaterThan(10)
    expect(events.at(-1)).toMatchObject({ type: 'completed', data: { status: 'succeeded' } })
  })

  test('asks how it stands where no stream is let through', async () => {
    server.noStreams = true
    const events = await heard()
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['line', 'snapshot']))
    expect(events.at(-1)).toMatchObject({ data: { status: 'succeeded' } })
  })

  test('hears that it is gone, once', async () => {
    server.noStreams = true
    const events: FollowEvent[] = []
    await new Promise<void>((gone) => {
      demoClient(base).follow('no-such-prediction', (event) => {
        events.push(event)
        if (event.type === 'gone') gone()
      })
    })
    expect(events.filter(({ type }) => type === 'gone')).toHaveLength(1)
  })

  test('that stops hears nothing more', async () => {
    server.noStreams = true
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<PredictionSnapshot | undefined>()
    const events: FollowEvent[] = []
    const stop = followPrediction(
      `${base}predictions/x/events`,
      () => {
        asked.resolve()
        return answer.promise
      },
      (event) => events.push(event),
    )
    await asked.promise
    stop()
    const before = events.length
    answer.resolve(undefined)
    await answer.promise
    expect(events).toHaveLength(before)
  })

  test('of a server that is away for a moment goes on asking', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      server.noStreams = true
      const { id } = await demoClient(base).submit(inputOf('sea'))
      const away = [new TypeError('fetch failed')]
      const events: FollowEvent[] = []
      const ended = new Promise<void>((resolve) => {
        followPrediction(
          `${base}predictions/${id}/events`,
          async () => {
            const error = away.pop()
            if (error) throw error
            return server.demo.predictions.get(id as PredictionId)?.snapshot()
          },
          (event) => {
            events.push(event)
            if (event.type === 'line' && !event.data.up) queueMicrotask(() => vi.advanceTimersByTime(1000))
            if (event.type === 'snapshot') resolve()
          },
        )
      })
      await ended
      expect(events.map((event) => (event.type === 'line' ? event.data.up : event.type)).slice(0, 3)).toEqual([
        false,
        true,
        'snapshot',
      ])
    } finally {
      vi.useRealTimers()
    }
  })
})
