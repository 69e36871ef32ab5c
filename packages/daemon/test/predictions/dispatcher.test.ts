import { afterEach, beforeEach, expect, test } from 'vitest'
import { Dispatcher } from '../../src/predictions/dispatcher.ts'
import type { DispatcherParts } from '../../src/predictions/parts.ts'
import { openInMemory } from '../store/in-memory.ts'
import { dispatcherParts, waitingAt } from './instance/instances.ts'

let db: DispatcherParts['db']
beforeEach(async () => {
  db = await openInMemory()
})
afterEach(() => db.destroy())

test('a prediction that cannot be sent holds none of those behind it', async () => {
  const bad = await waitingAt(db, 'a', 'http://bad.test')
  const good = await waitingAt(db, 'b', 'http://good.test')
  const leaving = new AbortController()
  const submitted: string[] = []
  let triesOfBad = 0
  const reach = (endpoint: string) => {
    if (endpoint !== 'http://bad.test')
      return {
        submit: async ({ id }: { id: string }) => {
          submitted.push(id)
          leaving.abort()
          throw new Error('the daemon leaves')
        },
      }
    triesOfBad += 1
    // The test ends itself here, because it would wait for ever if the other one were never sent.
    if (triesOfBad > 1) leaving.abort()
    throw new Error(`nothing can be reached at ${endpoint}`)
  }
  const parts = dispatcherParts(db, reach)
  Object.assign(parts.limits, { retryMs: [60_000] })
  await new Dispatcher(parts, leaving.signal).work()
  expect([submitted, triesOfBad]).toEqual([[good.row.id], 1])
  expect(bad.row.arrival).toBeLessThan(good.row.arrival)
})
