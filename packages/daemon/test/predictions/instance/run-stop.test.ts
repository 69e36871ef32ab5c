import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Changes } from '../../../src/changes.ts'
import { defaultLimits } from '../../../src/config.ts'
import { RunStop } from '../../../src/predictions/instance/run-stop.ts'
import { OpenPredictions } from '../../../src/predictions/open-predictions.ts'
import type { DispatcherParts } from '../../../src/predictions/parts.ts'
import { requestCancel } from '../../../src/store/predictions.ts'
import { addPredictions, StoredQueue } from '../stored-queue.ts'
import { sentPrediction } from './instances.ts'

const at = '2026-11-25T00:00:00.000Z'
const never = new AbortController().signal
let stored: StoredQueue
beforeEach(async () => {
  stored = await StoredQueue.open()
})
afterEach(async () => stored[Symbol.asyncDispose]())

/** A stop of a prediction that runs, with the requests to its instance and the writes that it made. */
async function stopOf(change: Partial<DispatcherParts> = {}, leaving = never) {
  const demo = await stored.demo()
  const [added] = await addPredictions(stored.db, [
    StoredQueue.prediction(demo, 'ann', { status: 'processing', deadline_at: at }),
  ])
  const prediction = await sentPrediction(stored.db, added?.arrival ?? 0)
  const did: string[] = []
  let broken = 0
  const write = (what: string) => async () => {
    did.push(what)
    if (broken-- > 0) throw new Error('the disk is full')
  }
  const ending = { live: undefined, timedOut: write('timed out'), canceled: write('canceled') }
  const instance = { find: async () => ({ cancel: async () => did.push('asked to cancel') > 0 }) }
  const changed = new Changes()
  const open = new OpenPredictions(stored.db, changed)
  const parts = { db: stored.db, limits: defaultLimits, now: () => new Date().toISOString(), changed, open }
  const stop = new RunStop(
    { ...parts, ...change } as unknown as DispatcherParts,
    { prediction, deployment: 'd', instance, ending } as unknown as ConstructorParameters<typeof RunStop>[1],
    leaving,
  )
  const breaks = (times: number) => {
    broken = times
  }
  return { stop, did, breaks, changed: parts.changed, open, demo, arrival: added?.arrival ?? 0 }
}

test('a cancel is heard though its row could once not be read', async () => {
  const { stop, changed, demo, arrival } = await stopOf()
  vi.spyOn(stored.db, 'selectFrom').mockImplementationOnce(() => {
    throw new Error('the disk is away')
  })
  stop.watch()
  await requestCancel(stored.db, arrival, at)
  changed.predictionChanged(demo, arrival)
  await vi.waitFor(() => expect([stop.signal.aborted, stop.reason]).toEqual([true, 'canceled']))
  stop.close()
})

test('a cancel that came with no change told is heard after a failed read', async () => {
  const { stop, arrival } = await stopOf()
  vi.spyOn(stored.db, 'selectFrom').mockImplementationOnce(() => {
    throw new Error('the disk is away')
  })
  await requestCancel(stored.db, arrival, at)
  stop.watch()
  await vi.waitFor(() => expect(stop.reason).toBe('canceled'))
  stop.close()
})

test('what nobody watches any more is not stopped', async () => {
  const { stop, changed, open, demo, arrival } = await stopOf()
  stop.watch()
  stop.close()
  await requestCancel(stored.db, arrival, at)
  changed.predictionChanged(demo, arrival)
  expect(await open.find(arrival)).toMatchObject({ cancelRequested: true })
  expect(stop.reason).toBeUndefined()
})

test('who leaves stops nothing: the prediction runs on', async () => {
  const leaving = new AbortController()
  const { stop } = await stopOf({}, leaving.signal)
  const givingUp = new AbortController()
  stop.watch()
  const end = stop.whileFollowed(givingUp)
  leaving.abort()
  expect([stop.signal.aborted, stop.reason, givingUp.signal.aborted]).toEqual([true, undefined, true])
  await end()
  stop.close()
})

test('an instance is told to end what ran too long, also where that could not be written at once', async () => {
  const { stop, did, breaks } = await stopOf({ limits: { ...defaultLimits, cancelMs: 1 } })
  breaks(1)
  stop.watch()
  const end = stop.whileFollowed(new AbortController())
  stop.setDeadline()
  await vi.waitFor(() => expect(did).toEqual(['timed out', 'asked to cancel', 'timed out']))
  await end()
  stop.close()
})
