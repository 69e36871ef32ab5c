import {
  type DemoId,
  type DemoSchema,
  isTerminal,
  outputValue,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  type VisitorId,
} from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'
import { demoById, schemaOf } from '../store/demos.ts'
import { changePrediction, lastTimes, openPredictions, predictionById } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import type { LiveRun } from './live-runs.ts'
import { estimate, placeOf } from './next.ts'
import type { QueueParts } from './parts.ts'

/** A row of the queue as who follows it sees it: its place, then what its run tells, then how it ended. */
export class QueuedPrediction implements Prediction {
  readonly id: PredictionId
  readonly visitor?: VisitorId | undefined
  private readonly parts: QueueParts
  private readonly demo: DemoId

  constructor(parts: QueueParts, demo: DemoId, id: PredictionId, visitor: VisitorId | null) {
    this.parts = parts
    this.demo = demo
    this.id = id
    if (visitor) this.visitor = visitor
  }

  async snapshot(): Promise<PredictionSnapshot> {
    const row = await this.row()
    const live = this.parts.live.of(row.arrival)
    const output = live && !isTerminal(row.status) ? await this.liveOutput(live) : undefined
    const place = row.status === 'starting' ? await this.place() : undefined
    return {
      ...presentPrediction(row),
      ...(output === undefined ? {} : { output, logs: live?.logs ?? '' }),
      queue: place ?? null,
    }
  }

  async *events(after = 0, signal: AbortSignal = new AbortController().signal): AsyncIterable<PredictionEvent> {
    let seen = after
    let told = ''
    while (!signal.aborted) {
      const change = this.parts.changed.ofDemo(this.demo, signal)
      const row = await this.row()
      if (isTerminal(row.status)) {
        yield { seq: Math.max(row.last_seq, 1), type: 'completed', data: await this.snapshot() }
        return
      }
      const live = this.parts.live.of(row.arrival)
      if (live) {
        for await (const event of relay(live, seen, signal)) {
          seen = event.seq
          yield event
        }
      } else if (row.status === 'starting') {
        const place = await this.place()
        if (place && JSON.stringify(place) !== told) yield { type: 'queue', data: place }
        told = JSON.stringify(place)
      }
      if (!live || this.parts.live.of(row.arrival) === live) await change
    }
  }

  async cancel(): Promise<boolean> {
    const row = await this.row()
    if (isTerminal(row.status)) return false
    const completed_at = this.parts.now()
    if (await changePrediction(this.parts.db, row.arrival, 'starting', { status: 'canceled', completed_at, last_seq: 1 })) {
      this.parts.changed.notify(this.demo)
      return true
    }
    return (await this.parts.live.of(row.arrival)?.cancel?.()) ?? false
  }

  private async place(): Promise<{ position: number; eta: number | null } | undefined> {
    const position = placeOf(await openPredictions(this.parts.db, this.demo), this.id)
    if (position === undefined) return undefined
    const concurrency = (await this.schema())?.concurrency ?? 1
    return { position, eta: estimate(position, concurrency, await lastTimes(this.parts.db, this.demo)) }
  }

  private async liveOutput(live: LiveRun): Promise<unknown> {
    const schema = await this.schema()
    return (schema && outputValue(schema, live.output)) ?? null
  }

  private async schema(): Promise<DemoSchema | undefined> {
    const demo = await demoById(this.parts.db, this.demo)
    return demo && schemaOf(this.parts.db, demo)
  }

  private async row(): Promise<PredictionRow> {
    const row = await predictionById(this.parts.db, this.demo, this.id)
    if (!row) throw Object.assign(new Error('There is no such prediction any more.'), { statusCode: 404 })
    return row
  }
}

/** What a run told after number `seen`, then what it tells, until it ends. How it ended is the row's to say. */
async function* relay(live: LiveRun, seen: number, signal: AbortSignal) {
  let index = live.events.findIndex((event) => event.seq > seen)
  if (index < 0) index = live.events.length
  while (!signal.aborted && !live.ended) {
    const change = live.changed.next(signal)
    while (index < live.events.length) {
      const event = live.events[index]
      index += 1
      if (event && event.type !== 'completed') yield event
    }
    if (live.ended) return
    await change
  }
}

/** As the API shows a stored one. */
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
