import { applyPart, type PredictionEvent } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'

/** Events with a number: those of the run itself. */
export type RunEvent = Exclude<PredictionEvent, { type: 'queue' }>

type LiveLimits = Pick<Limits, 'liveEvents' | 'liveBytes' | 'predictionLogLength'>

/** The events of running predictions by arrival. They are never stored: after a crash the instance sends them again. */
export class LiveRuns {
  private readonly runs = new Map<number, LiveRun>()
  private readonly limits: LiveLimits

  constructor(limits: LiveLimits) {
    this.limits = limits
  }

  open(arrival: number): LiveRun {
    const run = new LiveRun(this.limits)
    this.runs.set(arrival, run)
    return run
  }

  find(arrival: number): LiveRun | undefined {
    return this.runs.get(arrival)
  }

  close(arrival: number): void {
    const run = this.runs.get(arrival)
    this.runs.delete(arrival)
    run?.end()
  }
}

/**
 * The newest events of a run as they came. Older ones are merged: each output's value so far, the end of the log, and
 * the last progress. A reader who is behind gets everything that still matters, however much there was.
 */
export class LiveRun {
  output: Record<string, unknown> = {}
  logs = ''
  ended = false
  lastSeq = 0
  /** The size of the output so far, as text. */
  outputSize = 0
  private readonly limits: LiveLimits
  private readonly folded = new Map<string, RunEvent>()
  private readonly sizes = new Map<string, number>()
  private readonly readers = new Set<() => void>()
  private events: RunEvent[] = []
  private size = 0

  constructor(limits: LiveLimits) {
    this.limits = limits
  }

  add(event: RunEvent): void {
    this.events.push(event)
    this.size += sizeOf(event)
    this.lastSeq = event.seq
    if (event.type === 'output') this.takeOutput(event)
    if (event.type === 'log') this.logs = (this.logs + event.data.data).slice(-this.limits.predictionLogLength)
    this.foldOldest()
    for (const wake of this.readers) wake()
  }

  /** Calls at each new event and at the end. Returns what ends that. */
  watch(wake: () => void): () => void {
    this.readers.add(wake)
    return () => void this.readers.delete(wake)
  }

  /** The events for a reader who has seen everything up to `seq`. */
  after(seq: number): RunEvent[] {
    const first = this.events.findLastIndex((event) => event.seq <= seq) + 1
    if (first > 0) return this.events.slice(first)
    const behind = [...this.folded.values()].filter((event) => event.seq > seq).toSorted((a, b) => a.seq - b.seq)
    return [...behind, ...this.events]
  }

  end(): void {
    this.ended = true
    for (const wake of this.readers) wake()
  }

  private takeOutput({ data }: Extract<RunEvent, { type: 'output' }>): void {
    this.output = applyPart(this.output, data)
    const before = this.sizes.get(data.field) ?? 0
    const now = (data.mode === 'append' ? before : 0) + lengthOf(data.chunk)
    this.sizes.set(data.field, now)
    this.outputSize += now - before
  }

  /** A quarter is merged at a time, so that not every new event moves all others. */
  private foldOldest(): void {
    if (this.events.length <= this.limits.liveEvents && this.size <= this.limits.liveBytes) return
    const count = Math.max(1, Math.ceil(this.events.length / 4))
    for (const event of this.events.slice(0, count)) {
      this.size -= sizeOf(event)
      const topic = topicOf(event)
      this.folded.set(topic, fold(this.folded.get(topic), event, this.limits))
    }
    this.events = this.events.slice(count)
  }
}

const topicOf = (event: RunEvent): string =>
  event.type === 'output'
    ? `output ${event.data.field}`
    : event.type === 'log'
      ? `log ${event.data.source}`
      : event.type

/** Merges two events of the same topic into one. */
function fold(before: RunEvent | undefined, event: RunEvent, { predictionLogLength }: LiveLimits): RunEvent {
  if (event.type === 'log' && before?.type === 'log')
    return { ...event, data: { ...event.data, data: (before.data.data + event.data.data).slice(-predictionLogLength) } }
  if (event.type !== 'output') return event
  const earlier = before?.type === 'output' ? { [event.data.field]: before.data.chunk } : {}
  const chunk = applyPart(earlier, event.data)[event.data.field]
  return { ...event, data: { ...event.data, mode: 'replace', chunk } }
}

function sizeOf(event: RunEvent): number {
  if (event.type === 'start') return event.data.id.length
  return event.type === 'log'
    ? event.data.data.length
    : lengthOf(event.type === 'output' ? event.data.chunk : event.data)
}

const lengthOf = (chunk: unknown): number =>
  typeof chunk === 'string' ? chunk.length : (JSON.stringify(chunk)?.length ?? 0)
