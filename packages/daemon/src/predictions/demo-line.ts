import type { OpenPrediction } from '../store/open-predictions.ts'
import { placeIn, Ranks } from './ranks.ts'

/** What decides when a prediction has its turn. */
export type Entrant = Pick<OpenPrediction, 'arrival' | 'id' | 'demo' | 'visitor' | 'address'>

/**
 * It waits for a place, holds one of the places of its demo, or is at an instance that begins it once a place there is
 * free.
 */
export type Stand = 'waits' | 'ahead' | 'holds'

interface Entry {
  readonly arrival: number
  readonly visitor: string
  readonly caller: Caller
  stand: Stand
  /** How many of its caller go before it, while it waits. */
  turn: number
}

interface Caller {
  /** Those of this caller that wait no more. */
  sent: number
  /** Those of this caller that wait, in the order of their turns. */
  line: Entry[]
}

/**
 * The predictions of one demo in the order of `fairOrder`, kept as they come and go. A change costs as much as its
 * caller has waiting, and the logarithm of how many wait.
 */
export class DemoLine {
  holding = 0
  ahead = 0
  waiting = 0
  private readonly entries = new Map<number, Entry>()
  private readonly callers = new Map<string, Caller>()
  /** Of each visitor, the arrivals of those that wait or hold a place, in order. */
  private readonly visitors = new Map<string, number[]>()
  private readonly ranks = new Ranks()

  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** The arrival of the one that is next. */
  get first(): number | undefined {
    return this.ranks.first()
  }

  /** The place among those that wait. 1 is next. Undefined: it does not wait. */
  placeOf(arrival: number): number | undefined {
    const entry = this.entries.get(arrival)
    return entry?.stand === 'waits' ? this.ranks.before(entry.turn, arrival) + 1 : undefined
  }

  set(entrant: Entrant, stand: Stand): void {
    const entry = this.entries.get(entrant.arrival)
    if (!entry) this.add(entrant, stand)
    else if (entry.stand !== stand) this.change(entry, stand)
  }

  delete(arrival: number): void {
    const entry = this.entries.get(arrival)
    if (!entry) return
    const affected = this.callersOf(entry)
    if (entry.stand === 'waits') this.ranks.delete(entry.turn, arrival)
    this.count(entry, -1)
    this.entries.delete(arrival)
    const others = this.visitors.get(entry.visitor) ?? []
    others.splice(placeIn(others, arrival), 1)
    if (others.length === 0) this.visitors.delete(entry.visitor)
    for (const caller of affected) this.order(caller)
  }

  private add({ arrival, id, visitor, address }: Entrant, stand: Stand): void {
    const who = visitor ?? id
    const key = address === null ? `visitor ${who}` : `address ${address}`
    const caller = this.callers.get(key) ?? { sent: 0, line: [] }
    this.callers.set(key, caller)
    const entry = { arrival, visitor: who, caller, stand, turn: -1 }
    this.entries.set(arrival, entry)
    const others = this.visitors.get(who) ?? []
    others.splice(placeIn(others, arrival), 0, arrival)
    this.visitors.set(who, others)
    this.count(entry, 1)
    for (const each of this.callersOf(entry)) this.order(each)
  }

  private change(entry: Entry, stand: Stand): void {
    if (entry.stand === 'waits') this.ranks.delete(entry.turn, entry.arrival)
    this.count(entry, -1)
    entry.stand = stand
    entry.turn = -1
    this.count(entry, 1)
    this.order(entry.caller)
  }

  private count(entry: Entry, change: 1 | -1): void {
    const { caller } = entry
    if (entry.stand !== 'waits') {
      this[entry.stand === 'ahead' ? 'ahead' : 'holding'] += change
      caller.sent += change
    } else {
      this.waiting += change
      if (change > 0) caller.line.push(entry)
      else caller.line = caller.line.filter((other) => other !== entry)
    }
  }

  /** The callers in whose order this one's visitor counts: several where a cookie came from several addresses. */
  private callersOf({ visitor, caller }: Entry): Set<Caller> {
    const others = (this.visitors.get(visitor) ?? []).flatMap((arrival) => this.entries.get(arrival)?.caller ?? [])
    return new Set([caller, ...others])
  }

  /** Gives those of a caller that wait their turns anew. Among its visitors, each one's first goes first. */
  private order(caller: Caller): void {
    const byVisitor = caller.line.map((entry) => {
      const turn = placeIn(this.visitors.get(entry.visitor) ?? [], entry.arrival)
      return { entry, turn }
    })
    byVisitor.sort((a, b) => a.turn - b.turn || a.entry.arrival - b.entry.arrival)
    caller.line = byVisitor.map(({ entry }) => entry)
    for (const [index, entry] of caller.line.entries()) {
      const turn = caller.sent + index
      if (entry.turn === turn) continue
      if (entry.turn >= 0) this.ranks.delete(entry.turn, entry.arrival)
      this.ranks.add(turn, entry.arrival)
      entry.turn = turn
    }
  }
}
