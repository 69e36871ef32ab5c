import { Notice } from '@origami/host/notices'
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
import { EventLog, lengthOf } from './event-log.ts'

const maxPrintedLength = 64 * 1024
const maxLogEvents = 2000
const maxLogEventBytes = 1024 ** 2

/** A prediction in this runtime: its events so far, and those who follow it. */
export class Run implements Prediction {
  readonly id: PredictionId
  readonly input: Record<string, unknown>
  status: PredictionStatus = 'starting'
  /** Whether somebody read all its events, to the end. */
  wasFollowed = false
  private readonly schema: DemoSchema
  private readonly onCancel: (run: Run) => void
  private readonly log = new EventLog()
  /** Those who follow it. Most predictions have nobody. */
  private changed: Notice | undefined
  /** Those who wait for its end alone. */
  private awaiting: ((snapshot: PredictionSnapshot) => void)[] | undefined
  /** Called with how much its size in memory has changed, until it has ended. */
  onGrow: ((bytes: number) => void) | undefined
  private output: Record<string, unknown> = {}
  private error: string | null = null
  private reason: FailureReason | null = null
  private printed = ''
  private parts = 0
  private logEvents = 0
  private logEventBytes = 0
  private place: number | undefined
  private readonly inputBytes: number
  private outputBytes = 0
  private size: number
  private readonly createdAt = Date.now()
  private startedAt: number | undefined
  private completedAt: number | undefined

  constructor(id: PredictionId, input: Record<string, unknown>, schema: DemoSchema, onCancel: (run: Run) => void) {
    this.id = id
    this.input = input
    this.schema = schema
    this.onCancel = onCancel
    this.inputBytes = lengthOf(input)
    this.size = this.inputBytes
  }

  /** Its approximate size in memory. */
  get bytes(): number {
    return this.size
  }

  /** Its outputs so far, by field name. */
  get outputs(): Readonly<Record<string, unknown>> {
    return this.output
  }

  async snapshot(): Promise<PredictionSnapshot> {
    return this.now()
  }

  async *events(after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    let seen = after
    let place: number | undefined
    while (!signal?.aborted) {
      const event = this.log.next(seen)
      if (event) {
        seen = event.seq
        yield event
        if (event.type !== 'completed') continue
        // A reader asks for the next event only after it has written this one.
        this.wasFollowed = true
        return
      } else if (isTerminal(this.status)) {
        return
      } else if (this.status === 'starting' && this.place !== place && this.place !== undefined) {
        place = this.place
        yield { type: 'queue', data: { position: place, eta: null } }
      } else {
        this.changed ??= new Notice()
        await this.changed.next(signal)
      }
    }
  }

  async ended(): Promise<PredictionSnapshot> {
    if (!isTerminal(this.status))
      return new Promise((resolve) => {
        this.awaiting ??= []
        this.awaiting.push(resolve)
      })
    this.wasFollowed = true
    return this.now()
  }

  async cancel(): Promise<boolean> {
    if (isTerminal(this.status)) return false
    this.onCancel(this)
    return true
  }

  /** Reports its place among those that wait here. 1 is next. */
  wait(place: number): void {
    if (this.place === place) return
    this.place = place
    this.changed?.notify()
  }

  /**
   * Notes that a worker has it. Called again when a worker died before it read the call, but the prediction starts only
   * once.
   */
  start(): void {
    if (this.status !== 'starting') return
    this.status = 'processing'
    this.startedAt = Date.now()
    this.add({ type: 'start', data: { id: this.id, status: 'processing' } })
  }

  progress(done: number, total: number | null, note: string | null): void {
    this.add({ type: 'progress', data: { done, total, note } })
  }

  /** Adds printed text. Text beyond the limit is kept only in the end of the log, and not as events. */
  print(source: 'stdout' | 'stderr', text: string): void {
    this.printed = (this.printed + text).slice(-maxPrintedLength)
    this.logEvents += 1
    this.logEventBytes += text.length
    if (this.logEvents > maxLogEvents || this.logEventBytes > maxLogEventBytes) this.measure()
    else this.add({ type: 'log', data: { source, data: text } })
  }

  part(field: string, mode: 'append' | 'replace', chunk: unknown): void {
    const data = { field, mode, chunk, index: this.parts }
    this.parts += 1
    this.output = applyPart(this.output, data)
    this.add({ type: 'output', data })
  }

  succeed(output: Record<string, unknown>): void {
    if (isTerminal(this.status)) return
    this.output = output
    this.outputBytes = lengthOf(output)
    this.end('succeeded')
  }

  fail(reason: FailureReason, error: string): void {
    if (isTerminal(this.status)) return
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
    this.completedAt = Date.now()
    const snapshot = this.now()
    this.add({ type: 'completed', data: snapshot })
    const { awaiting = [] } = this
    this.awaiting = undefined
    if (awaiting.length > 0) this.wasFollowed = true
    for (const resolve of awaiting) resolve(snapshot)
  }

  private add(event: Parameters<EventLog['add']>[0]): void {
    this.log.add(event)
    this.measure()
    this.changed?.notify()
  }

  private measure(): void {
    const size = this.inputBytes + this.outputBytes + this.log.bytes + this.printed.length
    this.onGrow?.(size - this.size)
    this.size = size
  }

  private now(): PredictionSnapshot {
    const has = Object.keys(this.output).length > 0
    const { startedAt, completedAt } = this
    const seconds = startedAt && completedAt ? (completedAt - startedAt) / 1000 : undefined
    return {
      id: this.id,
      status: this.status,
      input: this.input,
      output: has ? (outputValue(this.schema, this.output) ?? null) : null,
      error: this.error,
      reason: this.reason,
      logs: this.printed,
      metrics: seconds === undefined ? {} : { predict_time: seconds },
      created_at: written(this.createdAt),
      started_at: startedAt ? written(startedAt) : null,
      completed_at: completedAt ? written(completedAt) : null,
      deployment: null,
      commit: null,
      queue: this.status === 'starting' && this.place !== undefined ? { position: this.place, eta: null } : null,
    }
  }
}

/** The second that was written last, without its milliseconds: most predictions begin and end in it. */
let last = { second: 0, text: '1970-01-01T00:00:00.' }

/** As `toISOString` of a date writes it. */
function written(time: number): string {
  const second = Math.floor(time / 1000)
  if (last.second !== second) last = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  return `${last.text}${String(time - second * 1000).padStart(3, '0')}Z`
}
