import type { DemoId, PredictionId } from '@origami/protocol/demo'
import type { OpenPrediction } from '../../store/open-predictions.ts'

/** What decides when a waiting prediction has its turn, of one that waits or runs. */
export interface Waiting extends Pick<OpenPrediction, 'id' | 'demo' | 'visitor' | 'address' | 'running'> {
  /** Whether it was sent before there was a place for it. */
  readonly ahead?: boolean
}

/** How many predictions the instance of a demo runs at the same time, and how many it is sent beyond. */
export interface Room {
  readonly concurrency: number
  readonly ahead: number
}

/** One to send. `isAhead`: its instance begins it once one that runs there has ended. */
export interface Chosen<Row> {
  readonly row: Row
  readonly isAhead: boolean
}

export interface QueueLimits {
  /** How many predictions may run on this host at the same time. */
  readonly running: number
  /** The share of them that one demo may hold, above 0 and at most 1. */
  readonly runningPerDemo: number
}

/**
 * The predictions to send now, in order. `rows` are in order of arrival; `concurrency` has an entry for each demo with
 * a route. Each free place of the host goes to the demo that holds fewest places, and among equals to the demo whose
 * next prediction came first. A demo holds at most its share of the places, so that some are left for other demos, and
 * at most a fair share while others wait. A pure function, so tests can pass data.
 */
export function next<Row extends Waiting>(
  rows: readonly Row[],
  concurrency: ReadonlyMap<DemoId, number>,
  limits: QueueLimits,
): readonly Row[] {
  const arrivals = new Map(rows.map((row, index) => [row, index]))
  const lines = Map.groupBy(fairOrder(rows), (row) => row.demo)
  const taken = new Map<DemoId, number>()
  for (const { demo } of rows.filter(({ running }) => running)) taken.set(demo, (taken.get(demo) ?? 0) + 1)
  const takenBy = (demo: DemoId) => taken.get(demo) ?? 0
  const free = limits.running - rows.filter(({ running }) => running).length
  const part = partOf(limits)
  const chosen: Row[] = []
  while (chosen.length < free) {
    const able = [...lines].filter(
      ([demo, line]) => line.length > 0 && takenBy(demo) < Math.min(part, concurrency.get(demo) ?? 0),
    )
    const share = fairShare(limits.running, [...taken.keys(), ...able.map(([demo]) => demo)])
    const heads = able.flatMap(([demo, [head]]) => (head && (able.length === 1 || takenBy(demo) < share) ? [head] : []))
    const [first] = heads.toSorted(
      (a, b) => takenBy(a.demo) - takenBy(b.demo) || (arrivals.get(a) ?? 0) - (arrivals.get(b) ?? 0),
    )
    if (!first) break
    chosen.push(first)
    lines.get(first.demo)?.shift()
    taken.set(first.demo, takenBy(first.demo) + 1)
  }
  return chosen
}

/**
 * The prediction to send ahead where `next` finds none: only while every demo for which somebody waits has all the
 * places that it may hold, so that what is ahead takes no other demo's turn.
 */
export function nextAhead<Row extends Waiting>(
  rows: readonly Row[],
  room: ReadonlyMap<DemoId, Room>,
  limits: QueueLimits,
): Row | undefined {
  const lines = [...Map.groupBy(fairOrder(rows), (row) => row.demo)]
  const count = (of: (row: Row) => boolean | undefined, demo: DemoId) =>
    rows.filter((row) => row.demo === demo && of(row)).length
  const lacksPlace = ([demo]: [DemoId, Row[]]) =>
    count(({ running }) => running, demo) < Math.min(partOf(limits), room.get(demo)?.concurrency ?? 0)
  if (lines.some(lacksPlace)) return undefined
  const heads = lines.flatMap(([demo, [head]]) =>
    head && count(({ ahead }) => ahead, demo) < (room.get(demo)?.ahead ?? 0) ? [head] : [],
  )
  return heads.toSorted((a, b) => rows.indexOf(a) - rows.indexOf(b))[0]
}

/** How many places one demo may hold. */
export const partOf = ({ running, runningPerDemo }: QueueLimits): number =>
  Math.max(1, Math.floor(running * runningPerDemo))

/** The fair share among the demos that hold places or could take one now. */
const fairShare = (places: number, demos: readonly DemoId[]): number => Math.ceil(places / new Set(demos).size)

/**
 * The waiting predictions in their order: of each demo, each caller's first (those that were sent counted) before
 * anybody's second, and so on; among equals, in order of arrival. A caller is an address when the visitor is only a
 * cookie, so that more cookies give no more turns. Among the visitors of one address, too, each one's first goes before
 * anybody's second.
 */
export function fairOrder<Row extends Waiting>(rows: readonly Row[]): readonly Row[] {
  const visitorTurns = turns(rows, ({ demo, visitor, id }) => `${demo} ${visitor ?? id}`)
  const byVisitors = rows.toSorted(
    (a, b) => Number(isSent(b)) - Number(isSent(a)) || turnOf(visitorTurns, a) - turnOf(visitorTurns, b),
  )
  const callerTurns = turns(byVisitors, ({ demo, address, visitor, id }) =>
    address === null ? `${demo} visitor ${visitor ?? id}` : `${demo} address ${address}`,
  )
  return rows.filter((row) => !isSent(row)).toSorted((a, b) => turnOf(callerTurns, a) - turnOf(callerTurns, b))
}

const isSent = ({ running, ahead }: Waiting): boolean => running || ahead === true

/** For each prediction, how many of the same caller go before it. */
function turns<Row extends Waiting>(rows: readonly Row[], caller: (row: Row) => string): ReadonlyMap<Row, number> {
  const counts = new Map<string, number>()
  return new Map(
    rows.map((row) => {
      const key = caller(row)
      const turn = counts.get(key) ?? 0
      counts.set(key, turn + 1)
      return [row, turn] as const
    }),
  )
}

const turnOf = <Row>(all: ReadonlyMap<Row, number>, row: Row): number => all.get(row) ?? 0

/** The place of a prediction among those that wait for its demo. 1 goes next. Undefined: it does not wait. */
export function placeOf(rows: readonly Waiting[], id: PredictionId): number | undefined {
  const demo = rows.find((row) => row.id === id)?.demo
  const index = fairOrder(rows.filter((row) => row.demo === demo)).findIndex((row) => row.id === id)
  return index < 0 ? undefined : index + 1
}

/**
 * Seconds until the prediction in `place` starts: the median of the last runs times the number of rounds before it.
 * Null when there are fewer than three runs.
 */
export function estimate(place: number, concurrency: number, lastSeconds: readonly number[]): number | null {
  if (lastSeconds.length < 3) return null
  const sorted = lastSeconds.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return Math.ceil(place / concurrency) * median
}
