import type { PredictionEvent } from '@origami/protocol/demo'

export type Numbered = Exclude<PredictionEvent, { type: 'queue' }>
type Unnumbered<Event> = Event extends { seq: number } ? Omit<Event, 'seq'> : never

const compactBytes = 4 * 1024 ** 2
const compactEvents = 10_000

/**
 * The numbered events of one prediction. When they grow large, events that newer ones replaced are removed, so numbers
 * may have gaps.
 */
export class EventLog {
  private events: Numbered[] = []
  private compactAtBytes = compactBytes
  private compactAtEvents = compactEvents
  /** The number of the newest event. */
  last = 0
  /** Their approximate size in memory. */
  bytes = 0

  add(event: Unnumbered<Numbered>): void {
    this.last += 1
    const numbered = { ...event, seq: this.last } as Numbered
    this.events.push(numbered)
    this.bytes += sizeOf(numbered)
    if (this.bytes <= this.compactAtBytes && this.events.length <= this.compactAtEvents) return
    this.events = withoutReplaced(this.events)
    this.bytes = this.events.reduce((sum, event) => sum + sizeOf(event), 0)
    // All that is left may be needed, so the next attempt is due when the size has doubled.
    this.compactAtBytes = Math.max(compactBytes, 2 * this.bytes)
    this.compactAtEvents = Math.max(compactEvents, 2 * this.events.length)
  }

  /** The oldest event after number `seq`. */
  next(seq: number): Numbered | undefined {
    if (seq >= this.last) return undefined
    let [low, high] = [0, this.events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.events[middle]?.seq ?? 0) > seq) high = middle
      else low = middle + 1
    }
    return this.events[low]
  }
}

/** Removes progress that newer progress replaced, and parts of an output that a newer part replaced. */
export function withoutReplaced(events: readonly Numbered[]): Numbered[] {
  const replaced = new Set<string>()
  let progressed = false
  const remaining: Numbered[] = []
  for (const event of events.toReversed()) {
    if (event.type === 'progress') {
      if (progressed) continue
      progressed = true
    } else if (event.type === 'output') {
      if (replaced.has(event.data.field)) continue
      if (event.data.mode === 'replace') replaced.add(event.data.field)
    }
    remaining.push(event)
  }
  return remaining.reverse()
}

/** The size of the variable part of an event, plus a constant for the rest. */
function sizeOf(event: Numbered): number {
  if (event.type === 'output') return 200 + lengthOf(event.data.chunk)
  if (event.type === 'log') return 200 + event.data.data.length
  return 200
}

/** The length of a value as JSON without escapes, and of a text without its quotes. Nothing is written for it. */
export function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : String(value).length
  const entries = Array.isArray(value) ? value.map(writtenLength) : Object.entries(value).map(namedLength)
  return entries.reduce((sum, length) => sum + length + 1, entries.length === 0 ? 2 : 1)
}

const writtenLength = (value: unknown): number => lengthOf(value) + (typeof value === 'string' ? 2 : 0)
const namedLength = ([name, value]: [string, unknown]): number => name.length + 3 + writtenLength(value)
