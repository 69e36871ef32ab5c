import {
  applyPart,
  type DemoSchema,
  type FailureReason,
  isTerminal,
  outputValue,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  type PredictionStatus,
} from '@origami/protocol/demo'
import type { Prediction } from '@origami/serving'

type Numbered = Exclude<PredictionEvent, { type: 'queue' }>
type Unnumbered<Event> = Event extends { seq: number } ? Omit<Event, 'seq'> : never

const keptLog = 64 * 1024
const keptLogEvents = 2000

/** A prediction in this runtime: what happened so far, and who follows it. */
export class Run implements Prediction {
  readonly id: PredictionId
  readonly input: Record<string, unknown>
  status: PredictionStatus = 'starting'
  private readonly schema: DemoSchema
  private readonly onCancel: (run: Run) => void
  private readonly events_: Numbered[] = []
  private readonly followers = new Set<() => void>()
  private output: Record<string, unknown> = {}
  private error: string | null = null
  private reason: FailureReason | null = null
  private logs = ''
  private seq = 0
  private parts = 0
  private logEvents = 0
  private place: number | undefined
  private readonly createdAt = new Date()
  private startedAt: Date | undefined
  private completedAt: Date | undefined

  constructor(id: PredictionId, input: Record<string, unknown>, schema: DemoSchema, onCancel: (run: Run) => void) {
    this.id = id
    this.input = input
    this.schema = schema
    this.onCancel = onCancel
  }

  async snapshot(): Promise<PredictionSnapshot> {
    return this.now()
  }

  async *events(after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    let seen = after
    let told: number | undefined
    while (!signal?.aborted) {
      for (const event of this.events_.slice(this.indexAfter(seen))) {
        seen = event.seq
        yield event
        if (event.type === 'completed') return
      }
      if (isTerminal(this.status) && seen >= this.seq) return
      if (this.status === 'starting' && this.place !== told && this.place !== undefined) {
        told = this.place
        yield { type: 'queue', data: { position: this.place, eta: null } }
        continue
      }
      await this.change(seen, told, signal)
    }
  }

  async cancel(): Promise<boolean> {
    if (isTerminal(this.status)) return false
    this.onCancel(this)
    return true
  }

  /** Its place among those that wait here: 1 is next. */
  wait(place: number): void {
    this.place = place
    this.wake()
  }

  start(): void {
    this.status = 'processing'
    this.startedAt = new Date()
    this.add({ type: 'start', data: { id: this.id, status: 'processing' } })
  }

  progress(done: number, total: number | null, note: string | null): void {
    this.add({ type: 'progress', data: { done, total, note } })
  }

  /** Lines beyond the cap are kept in the end of the log alone, not as events. */
  print(source: 'stdout' | 'stderr', text: string): void {
    this.logs = (this.logs + text).slice(-keptLog)
    this.logEvents += 1
    if (this.logEvents <= keptLogEvents) this.add({ type: 'log', data: { source, data: text } })
  }

  part(field: string, mode: 'append' | 'replace', chunk: unknown): void {
    const data = { field, mode, chunk, index: this.parts }
    this.parts += 1
    this.output = applyPart(this.output, data)
    this.add({ type: 'output', data })
  }

  succeed(output: Record<string, unknown>): void {
    this.output = output
    this.end('succeeded')
  }

  fail(reason: FailureReason, error: string): void {
    this.reason = reason
    this.error = error
    this.end('failed')
  }

  canceled(): void {
    this.end('canceled')
  }

  private end(status: PredictionStatus): void {
    if (isTerminal(this.status)) return
    this.status = status
    this.completedAt = new Date()
    this.add({ type: 'completed', data: { ...this.now() } })
  }

  private add(event: Unnumbered<Numbered>): void {
    this.seq += 1
    this.events_.push({ ...event, seq: this.seq } as Numbered)
    this.wake()
  }

  private indexAfter(seq: number): number {
    return Math.min(Math.max(0, seq), this.events_.length)
  }

  private change(seen: number, told: number | undefined, signal?: AbortSignal): Promise<void> {
    if (this.seq > seen || (this.status === 'starting' && this.place !== told)) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        this.followers.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.followers.add(wake)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  private wake(): void {
    for (const follower of [...this.followers]) follower()
  }

  private now(): PredictionSnapshot {
    const has = Object.keys(this.output).length > 0
    const seconds =
      this.startedAt && this.completedAt ? (this.completedAt.getTime() - this.startedAt.getTime()) / 1000 : undefined
    return {
      id: this.id,
      status: this.status,
      input: this.input,
      output: has ? (outputValue(this.schema, this.output) ?? null) : null,
      error: this.error,
      reason: this.reason,
      logs: this.logs,
      metrics: seconds === undefined ? {} : { predict_time: seconds },
      created_at: this.createdAt.toISOString(),
      started_at: this.startedAt?.toISOString() ?? null,
      completed_at: this.completedAt?.toISOString() ?? null,
      deployment: null,
      commit: null,
      queue: this.status === 'starting' && this.place !== undefined ? { position: this.place, eta: null } : null,
    }
  }
}
