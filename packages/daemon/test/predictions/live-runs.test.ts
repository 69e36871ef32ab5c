import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { LiveRun, LiveRuns, type RunEvent } from '../../src/predictions/live-runs.ts'

const limits = { liveEvents: 4, liveBytes: 1000, predictionLogLength: 10 }
const output = (seq: number, chunk: unknown, mode: 'append' | 'replace' = 'append', field = 'said'): RunEvent => ({
  type: 'output',
  seq,
  data: { field, mode, index: 0, chunk },
})
const log = (seq: number, data: string): RunEvent => ({ type: 'log', seq, data: { source: 'stdout', data } })
const runOf = (events: readonly RunEvent[], change: Partial<typeof limits> = {}): LiveRun => {
  const run = new LiveRun({ ...limits, ...change })
  for (const event of events) run.add(event)
  return run
}
/** The output that a reader builds from these events. */
const outputOf = (events: readonly RunEvent[]) => runOf(events, { liveEvents: 1000 }).output

describe('what a running prediction said so far', () => {
  test('is its output, its last number, and the end of its log', () => {
    const run = runOf([output(1, 'a'), log(2, 'twelve bytes'), output(3, 'b'), output(4, 7, 'replace', 'score')])
    expect(run).toMatchObject({ output: { said: 'ab', score: 7 }, logs: 'elve bytes', lastSeq: 4, outputSize: 3 })
  })

  test('is measured anew where a value takes the place of another', () => {
    expect(runOf([output(1, 'x'.repeat(500)), output(2, 'short', 'replace')]).outputSize).toBe(5)
  })

  test('is sent from where a reader is, as it came', () => {
    const events = [output(1, 'a'), output(2, 'b'), output(3, 'c')]
    expect(runOf(events).after(1)).toEqual(events.slice(1))
    expect(runOf(events).after(3)).toEqual([])
  })

  test('is kept as few events, and a reader who is behind has the same output from them', () => {
    const events = Array.from({ length: 100 }, (_, index) => output(index + 1, `${index},`))
    const sent = runOf(events).after(0)
    expect(sent.length).toBeLessThanOrEqual(limits.liveEvents + 1)
    expect(outputOf(sent)).toEqual(outputOf(events))
  })

  test('is kept below a number of bytes, the newest event apart', () => {
    const events = Array.from({ length: 20 }, (_, index) => output(index + 1, 'x'.repeat(300), 'replace'))
    expect(runOf(events, { liveEvents: 1000 }).after(0).length).toBeLessThanOrEqual(4)
  })

  test('comes to the same whatever its events were, wherever a reader is', () => {
    const any = fc.tuple(
      fc.constantFrom('said', 'other'),
      fc.constantFrom('append', 'replace'),
      fc.string({ maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.array(any, { maxLength: 40 }), fc.nat(), (parts, at) => {
        const events = parts.map(([field, mode, chunk], index) => output(index + 1, chunk, mode as 'append', field))
        const seen = events.slice(0, at % (events.length + 1))
        expect(outputOf([...seen, ...runOf(events).after(seen.length)])).toEqual(outputOf(events))
      }),
    )
  })
})

test('a run is found until it is closed, and who reads it hears of its end', () => {
  const runs = new LiveRuns(limits)
  const run = runs.open(1)
  expect(runs.find(1)).toBe(run)
  const [woken, early] = [vi.fn(), vi.fn()]
  run.watch(woken)
  run.watch(early)()
  runs.close(1)
  expect([woken.mock.calls.length, early.mock.calls.length]).toEqual([1, 0])
  expect([run.ended, runs.find(1)]).toEqual([true, undefined])
})
