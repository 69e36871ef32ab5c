import { fileRef, randomId } from '@origami/protocol/demo'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Changes } from '../../src/changes.ts'
import { defaultLimits } from '../../src/config.ts'
import { Ending } from '../../src/predictions/ending.ts'
import { KnownDemos } from '../../src/predictions/known-demos.ts'
import { LiveRun } from '../../src/predictions/live-runs.ts'
import { OpenPredictions } from '../../src/predictions/open-predictions.ts'
import type { QueueParts } from '../../src/predictions/parts.ts'
import { presentPrediction } from '../../src/predictions/queued-prediction.ts'
import { RunTimes } from '../../src/predictions/run-times.ts'
import { Turns } from '../../src/predictions/turns/turns.ts'
import { Commits } from '../../src/store/commits.ts'
import { demoById, setWant } from '../../src/store/demos.ts'
import { filesOf } from '../../src/store/prediction-files.ts'
import { predictionByArrival } from '../../src/store/predictions.ts'
import type { PredictionRow } from '../../src/store/tables.ts'
import { sentPrediction } from './instance/instances.ts'
import { addPredictions, StoredQueue } from './stored-queue.ts'

const [began, deadline, over] = ['2026-11-25T00:00:00.000Z', '2026-11-25T00:01:30.000Z', '2026-11-25T00:02:00.000Z']

let stored: StoredQueue
let changed: Changes
let row: PredictionRow
let ending: Ending
beforeEach(async () => {
  stored = await StoredQueue.open()
  changed = new Changes()
  const began_at = { started_at: began, deadline_at: deadline }
  const prediction = StoredQueue.prediction(await stored.demo(), 'ann', { status: 'processing', ...began_at })
  const [added] = await addPredictions(stored.db, [prediction])
  row = await storedRow(added?.arrival ?? 0)
  const demos = new KnownDemos(stored.db, changed)
  const [commits, times] = [new Commits(stored.db), new RunTimes(stored.db)]
  const turns = new Turns(new OpenPredictions(stored.db, changed), defaultLimits)
  const parts = { db: stored.db, commits, limits: defaultLimits, now: () => over, changed, demos, times, turns }
  ending = new Ending(parts as unknown as QueueParts, await sentPrediction(stored.db, row.arrival))
})
afterEach(() => stored[Symbol.asyncDispose]())

async function storedRow(arrival = row.arrival): Promise<PredictionRow> {
  const found = await predictionByArrival(stored.db, arrival)
  if (!found) throw new Error('it is not stored')
  return found
}

/** The end of a prediction as its instance reports it. */
const reported = (change: Partial<Parameters<Ending['completed']>[0]> = {}): Parameters<Ending['completed']>[0] => ({
  ...{ id: row.id, status: 'succeeded', input: {}, output: { said: 'hi' }, error: null, reason: null },
  outputText: change.output === null ? null : '{"said":"hi"}',
  ...{ logs: 'done\n', metrics: { predict_time: 1.5 }, created_at: row.created_at, started_at: null },
  ...{ completed_at: null, deployment: null, commit: null, queue: null, ...change },
})

describe('a prediction that ends', () => {
  test('keeps what it logged, and its end has the number after its last event', async () => {
    ending.live = new LiveRun(defaultLimits)
    ending.live.add({ type: 'log', seq: 7, data: { source: 'stdout', data: 'half\n' } })
    await ending.canceled()
    expect(await storedRow()).toMatchObject({ status: 'canceled', logs: 'half\n', last_seq: 8, completed_at: over })
  })

  test('ends once: what comes later changes nothing, and wakes nobody', async () => {
    await ending.canceled()
    const woken = vi.fn()
    changed.onPrediction(row.demo_id, row.arrival, woken)
    await ending.failed('error', 'too late')
    expect(await storedRow()).toMatchObject({ status: 'canceled', error: null })
    expect(woken).not.toHaveBeenCalled()
  })

  test('for its time limit says how long that was', async () => {
    await ending.timedOut()
    expect(await storedRow()).toMatchObject({
      ...{ status: 'failed', reason: 'timeout' },
      error: 'It ran longer than the 90 s that a prediction of this demo may take, and was stopped.',
    })
  })

  test.each([
    ['on', 'interrupted', 'The demo went away while this ran. It was not run again; run it again if you like.'],
    ['stopped', 'stopped', 'The demo was stopped by its owner while this ran.'],
  ] as const)('with its instance, of a demo that is wanted %s, is %s', async (want, reason, error) => {
    await setWant(stored.db, row.demo_id, want)
    await ending.interrupted()
    expect(await storedRow()).toMatchObject({ status: 'failed', reason, error })
  })

  test.each([
    [
      'whose demo changed',
      () => ending.invalid('expected a name'),
      { reason: 'invalid', error: 'The demo changed while this waited: expected a name' },
    ],
    [
      'that no instance had room for',
      () => ending.noRoom(),
      {
        reason: 'error',
        error: 'The demo had no room for this, though nothing else ran in it. Send less, such as smaller files.',
      },
    ],
    [
      'whose output is too large',
      () => ending.outputTooLarge(),
      {
        reason: 'error',
        error: `The model put out more than the ${defaultLimits.outputBytes} bytes of text that this server takes of one prediction.`,
      },
    ],
  ])('%s failed, and says why', async (_which, end, says) => {
    await end()
    expect(await storedRow()).toMatchObject({ status: 'failed', ...says, completed_at: over, last_seq: 1 })
  })
})

describe('who follows a prediction is handed its end', () => {
  const ends: [string, () => Promise<void>][] = [
    ['that was reported', () => ending.completed(reported(), 9, [])],
    ['that failed', () => ending.failed('error', 'no')],
    ['that was canceled', () => ending.canceled()],
  ]
  test.each(ends)('%s just as it is stored', async (_which, end) => {
    const handed: unknown[] = []
    changed.listen({ demoChanged: () => {}, predictionChanged: (_arrival, now) => void handed.push(now) })
    await end()
    const { last_seq } = await storedRow()
    expect(handed).toMatchObject([{ snapshot: presentPrediction(await storedRow()), lastSeq: last_seq }])
  })
})

describe('a prediction that its instance completed', () => {
  const [files, end] = [[fileRef(randomId(), 'a.txt')], reported]
  test('is stored as it was reported, with its files, and counts as a run of its demo', async () => {
    const woken = vi.fn()
    changed.onPrediction(row.demo_id, row.arrival, woken)
    await ending.completed(end(), 9, files)
    expect(await storedRow()).toMatchObject({
      ...{ status: 'succeeded', output: '{"said":"hi"}', error: null, reason: null, logs: 'done\n' },
      ...{ predict_time: 1.5, started_at: began, completed_at: over, last_seq: 9 },
    })
    expect(await filesOf(stored.db, row.arrival)).toEqual(files)
    expect(await demoById(stored.db, row.demo_id)).toMatchObject({ runs: 1 })
    expect(woken).toHaveBeenCalledOnce()
  })

  test('began when its instance says, if it says so', async () => {
    await ending.completed(end({ started_at: deadline }), 9, [])
    expect(await storedRow()).toMatchObject({ started_at: deadline })
  })

  test('without an output or a time has none', async () => {
    await ending.completed(end({ status: 'failed', output: null, error: 'no', reason: 'error', metrics: {} }), 9, [])
    expect(await storedRow()).toMatchObject({
      ...{ status: 'failed', output: null, error: 'no', reason: 'error', predict_time: null },
    })
  })

  test('after another end changes nothing: no file, no run', async () => {
    await ending.canceled()
    await ending.completed(end(), 9, files)
    expect(await storedRow()).toMatchObject({ status: 'canceled', output: null })
    expect(await filesOf(stored.db, row.arrival)).toEqual([])
    expect(await demoById(stored.db, row.demo_id)).toMatchObject({ runs: 0 })
  })
})
