import {
  type DemoId,
  type DemoSchema,
  type Input,
  isTerminal,
  outputValue,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  type VisitorId,
} from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'
import type { EndedPrediction, OpenPrediction } from '../store/open-predictions.ts'
import { cancelUnsent, predictionById, requestCancel } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import type { LiveRun } from './live-runs.ts'
import type { QueueParts } from './parts.ts'
import { isNews, type Place, type PlaceFollower } from './places.ts'
import { Wake } from './wake.ts'

/** Identifies the row of a prediction. */
export interface PredictionKey {
  readonly arrival: number
  readonly demo: DemoId
  readonly id: PredictionId
  readonly visitor: VisitorId | null
}

type Ended = Pick<EndedPrediction, 'snapshot' | 'lastSeq'>

const never = new AbortController().signal

/** A prediction of the queue as its reader sees it: first its place, then the events of its run, then its end. */
export class QueuedPrediction implements Prediction {
  readonly id: PredictionId
  readonly visitor?: VisitorId | undefined
  private readonly parts: QueueParts
  private readonly demo: DemoId
  private readonly arrival: number

  constructor(parts: QueueParts, { arrival, demo, id, visitor }: PredictionKey) {
    this.parts = parts
    this.demo = demo
    this.id = id
    this.arrival = arrival
    if (visitor) this.visitor = visitor
  }

  async snapshot(): Promise<PredictionSnapshot> {
    const open = await this.parts.open.find(this.arrival)
    const stored = open && (await this.parts.open.inputOf(this.arrival))
    if (!stored) return this.parts.open.endOf(this.arrival)?.snapshot ?? presentPrediction(await this.row())
    const live = this.parts.live.find(this.arrival)
    const output = live && (await this.liveOutput(live))
    const place = open.running ? undefined : await this.parts.places.find(this.demo, this.arrival)
    return {
      ...presentOpen(open, stored.input),
      ...(output === undefined ? {} : { output, logs: live?.logs ?? '' }),
      queue: place ?? null,
    }
  }

  async *events(after = 0, signal = never): AsyncIterable<PredictionEvent> {
    const { changed, places } = this.parts
    const wake = new Wake()
    const reader = new PlaceReader(this.demo, this.arrival, wake)
    const ends = [changed.onPrediction(this.demo, this.arrival, wake.wake), places.follow(reader)]
    signal.addEventListener('abort', wake.wake)
    try {
      yield* this.untilEnd(after, signal, wake, reader)
    } finally {
      for (const end of ends) end()
      signal.removeEventListener('abort', wake.wake)
    }
  }

  /** Its place and its events are not computed for who waits for the end alone. */
  async ended(signal = never): Promise<PredictionSnapshot> {
    const { changed, open } = this.parts
    const wake = new Wake()
    const endWatch = changed.onPrediction(this.demo, this.arrival, wake.wake)
    signal.addEventListener('abort', wake.wake)
    try {
      for (;;) {
        signal.throwIfAborted()
        if (open.isUpToDate && open.known(this.arrival)) await wake.sleep()
        else {
          const { end } = await this.now()
          if (end) return end.snapshot
        }
      }
    } finally {
      endWatch()
      signal.removeEventListener('abort', wake.wake)
    }
  }

  private async *untilEnd(
    after: number,
    signal: AbortSignal,
    wake: Wake,
    reader: PlaceReader,
  ): AsyncIterable<PredictionEvent> {
    const { live, places } = this.parts
    let seen = after
    while (!signal.aborted) {
      const { row, end } = await this.now()
      const run = live.find(this.arrival)
      if (end) {
        yield { seq: Math.max(end.lastSeq, seen, 1), type: 'completed', data: end.snapshot }
        return
      }
      if (row && run) {
        for await (const event of relay(run, seen, signal, wake)) {
          seen = event.seq
          yield event
        }
        if (signal.aborted || live.find(this.arrival) !== run) continue
      } else if (row && !row.running) {
        const place = reader.told ? reader.news : await places.find(this.demo, this.arrival)
        if (place && reader.reads(place)) yield { type: 'queue', data: place }
      }
      if (row) await wake.sleep()
    }
  }

  /** The cancel is stored in its row, where this daemon or the next one acts on it. */
  async cancel(): Promise<boolean> {
    const { commits, now, changed } = this.parts
    const canceled = await commits.run(async (trx) => {
      if (await cancelUnsent(trx, this.arrival, now())) return 'ended'
      return (await requestCancel(trx, this.arrival, now())) ? { cancelRequested: true } : undefined
    })
    if (canceled) changed.predictionChanged(this.demo, this.arrival, canceled)
    return canceled !== undefined
  }

  /** Neither: it was stored a moment ago, and whoever stored it has not said so yet. It is read then. */
  private async now(): Promise<{ row?: OpenPrediction | undefined; end?: Ended | undefined }> {
    const { open } = this.parts
    const row = await open.find(this.arrival)
    if (row) return { row }
    const end = await this.end()
    if (!end) open.predictionChanged(this.arrival)
    return { end }
  }

  /** Undefined: it did not end. */
  private async end(): Promise<Ended | undefined> {
    const known = this.parts.open.endOf(this.arrival)
    if (known) return known
    const row = await this.row()
    return isTerminal(row.status) ? { snapshot: presentPrediction(row), lastSeq: row.last_seq } : undefined
  }

  private async liveOutput(live: LiveRun): Promise<unknown> {
    const schema = await this.schema()
    return (schema && outputValue(schema, live.output)) ?? null
  }

  private async schema(): Promise<DemoSchema | undefined> {
    return (await this.parts.demos.find(this.demo))?.schema
  }

  private async row(): Promise<PredictionRow> {
    const row = await predictionById(this.parts.db, this.demo, this.id)
    if (!row) throw Object.assign(new Error('There is no such prediction any more.'), { statusCode: 404 })
    return row
  }
}

/** A reader of events as it follows its place. */
class PlaceReader implements PlaceFollower {
  readonly demo: DemoId
  readonly arrival: number
  told: Place | undefined
  /** A place that it was not told yet. */
  news: Place | undefined
  private readonly wake: Wake

  constructor(demo: DemoId, arrival: number, wake: Wake) {
    this.demo = demo
    this.arrival = arrival
    this.wake = wake
  }

  tell(place: Place): void {
    this.news = place
    this.wake.wake()
  }

  /** Whether it is told of this place. */
  reads(place: Place): boolean {
    this.news = undefined
    if (!isNews(place, this.told)) return false
    this.told = place
    return true
  }
}

/**
 * Yields the events of a run after number `seen`, and then new ones until it ends. The end itself is read from the row.
 */
async function* relay(live: LiveRun, after: number, signal: AbortSignal, wake: Wake) {
  const end = live.watch(wake.wake)
  try {
    let seen = after
    while (!signal.aborted) {
      const events = live.after(seen)
      for (const event of events) {
        seen = event.seq
        if (event.type !== 'completed') yield event
      }
      if (live.ended) return
      if (events.length === 0) await wake.sleep()
    }
  } finally {
    end()
  }
}

/** A prediction that waits or runs in the form that the API answers, without its place and what it put out. */
const presentOpen = (open: OpenPrediction, input: Input): PredictionSnapshot => ({
  id: open.id,
  status: open.running ? 'processing' : 'starting',
  input,
  output: null,
  error: null,
  reason: null,
  logs: '',
  metrics: {},
  created_at: open.createdAt,
  started_at: open.startedAt,
  completed_at: null,
  deployment: open.deployment,
  commit: open.commit,
  queue: null,
})

/** A stored prediction in the form that the API answers. */
export function presentPrediction(row: PredictionRow): PredictionSnapshot {
  return {
    id: row.id,
    status: row.status,
    input: JSON.parse(row.input),
    output: row.output === null ? null : JSON.parse(row.output),
    error: row.error,
    reason: row.reason,
    logs: row.logs,
    metrics: row.predict_time === null ? {} : { predict_time: row.predict_time },
    created_at: row.created_at,
    started_at: row.started_at,
    completed_at: row.completed_at,
    deployment: row.deployment,
    commit: row.commit_sha,
    queue: null,
  }
}
