import type { DemoId, PredictionId, VisitorId } from '@origami/protocol/demo'

/** A prediction that waits or runs. */
export interface Waiting {
  readonly id: PredictionId
  readonly demo: DemoId
  readonly visitor: VisitorId | null
  readonly running: boolean
}

export interface QueueLimits {
  /** Predictions running at a time on this host. */
  readonly running: number
}

/**
 * Who goes now, in the order they go. `rows` stand in order of arrival; `concurrency` knows each demo that has a route.
 * A pure function: places in the queue are told by replaying it.
 */
export function next(
  rows: readonly Waiting[],
  concurrency: ReadonlyMap<DemoId, number>,
  limits: QueueLimits,
): readonly Waiting[] {
  const running = rows.filter((row) => row.running)
  const free = new Map<DemoId, number>()
  for (const [demo, places] of concurrency) free.set(demo, places - running.filter((row) => row.demo === demo).length)
  const chosen: Waiting[] = []
  for (const row of inOrder(rows)) {
    if (running.length + chosen.length >= limits.running) break
    const places = free.get(row.demo) ?? 0
    if (places <= 0) continue
    free.set(row.demo, places - 1)
    chosen.push(row)
  }
  return chosen
}

/**
 * What waits, in the order it goes: each visitor's first of a demo (running ones counted) before anybody's second, and so on; among equals, who came first.
 * One without a visitor is a visitor of its own.
 */
export function inOrder(rows: readonly Waiting[]): readonly Waiting[] {
  const seen = new Map<string, number>()
  const turns = rows.map((row) => {
    const whose = `${row.demo} ${row.visitor ?? row.id}`
    const turn = seen.get(whose) ?? 0
    seen.set(whose, turn + 1)
    return { row, turn }
  })
  return turns
    .filter(({ row }) => !row.running)
    .toSorted((a, b) => a.turn - b.turn)
    .map(({ row }) => row)
}

/** Its place among what waits for its demo: 1 goes next. Undefined: it does not wait. */
export function placeOf(rows: readonly Waiting[], id: PredictionId): number | undefined {
  const demo = rows.find((row) => row.id === id)?.demo
  const index = inOrder(rows.filter((row) => row.demo === demo)).findIndex((row) => row.id === id)
  return index < 0 ? undefined : index + 1
}

/** Seconds until the one in `place` starts: the median of the last runs times the rounds before it. Null below three runs. */
export function estimate(place: number, concurrency: number, lastSeconds: readonly number[]): number | null {
  if (lastSeconds.length < 3) return null
  const sorted = lastSeconds.toSorted((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  return Math.ceil(place / concurrency) * median
}
