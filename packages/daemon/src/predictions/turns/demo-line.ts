import type { OpenPrediction } from '../../store/open-predictions.ts'
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
  /** How many of its caller go before it, while it waits. Below 0: it has no turn yet. */
  turn: number
}

interface Caller {
  readonly key: string
  /** Those of this caller that wait no more. */
  sent: number
  /** The turn of its first that waits: `sent`, or more while it is the only caller. */
  firstTurn: number
  /** Those of this caller that wait, in the order of their turns. */
  line: Entry[]
}

/** Those of one visitor that wait or hold a place. */
interface Visitor {
  /** In order. */
  readonly arrivals: number[]
  /** How many of them each caller has: several where a cookie came from several addresses. */
  readonly callers: Map<Caller, number>
}

/** How far turns of an only caller may be behind what was sent, at least. Turns are given anew then. */
const mostBehind = 500

/**
 * The predictions of one demo in the order of `fairOrder`, kept as they come and go. A change costs the logarithm of
 * how many wait. Where it changes the turns of its caller's others, they are given anew once somebody asks for them:
 * that costs as much as the caller has waiting, also after many changes.
 */
export class DemoLine {
  holding = 0
  ahead = 0
  waiting = 0
  private readonly entries = new Map<number, Entry>()
  private readonly callers = new Map<string, Caller>()
  private readonly visitors = new Map<string, Visitor>()
  /** The callers whose turns are to be given anew. */
  private readonly unordered = new Set<Caller>()
  private readonly ranks = new Ranks()

  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** The arrival of the one that is next. */
  get first(): number | undefined {
    this.orderAll()
    return this.ranks.first()
  }

  /** The place among those that wait. 1 is next. Undefined: it does not wait. */
  placeOf(arrival: number): number | undefined {
    this.orderAll()
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
    const { caller } = entry
    // Of one caller alone, whoever is sent first goes before the others, whatever the number of its turn.
    const isAlone = this.callers.size === 1 && this.visitors.size === 1
    this.unrank(entry)
    this.count(entry, -1)
    this.entries.delete(arrival)
    const others = this.leaveVisitor(entry)
    const behind = caller.firstTurn - caller.sent
    if (isAlone && entry.stand !== 'waits' && behind < Math.max(mostBehind, caller.line.length)) return
    for (const each of [caller, ...others]) this.unordered.add(each)
    if (caller.sent === 0 && caller.line.length === 0) this.callers.delete(caller.key)
  }

  private add({ arrival, id, visitor, address }: Entrant, stand: Stand): void {
    const who = visitor ?? id
    const key = address === null ? `visitor ${who}` : `address ${address}`
    const caller = this.callers.get(key) ?? this.newCaller(key)
    const entry = { arrival, visitor: who, caller, stand, turn: -1 }
    this.entries.set(arrival, entry)
    const { arrivals, callers } = this.joinVisitor(entry)
    const isLast = arrivals.at(-1) === arrival
    const before = caller.line.at(-1)
    this.count(entry, 1)
    const isBehind = isLast && stand === 'waits' && (!before || this.compare(before, entry) < 0)
    if (isBehind && !this.unordered.has(caller)) this.give(entry, caller.firstTurn + caller.line.length - 1)
    else for (const each of callers.keys()) this.unordered.add(each)
  }

  private joinVisitor({ arrival, visitor, caller }: Entry): Visitor {
    const those = this.visitors.get(visitor) ?? { arrivals: [], callers: new Map() }
    this.visitors.set(visitor, those)
    those.arrivals.splice(placeIn(those.arrivals, arrival), 0, arrival)
    those.callers.set(caller, (those.callers.get(caller) ?? 0) + 1)
    return those
  }

  /** Returns the callers that the visitor's others have. */
  private leaveVisitor({ arrival, visitor, caller }: Entry): Iterable<Caller> {
    const those = this.visitors.get(visitor)
    if (!those) return []
    those.arrivals.splice(placeIn(those.arrivals, arrival), 1)
    const left = (those.callers.get(caller) ?? 0) - 1
    if (left > 0) those.callers.set(caller, left)
    else those.callers.delete(caller)
    if (those.arrivals.length === 0) this.visitors.delete(visitor)
    return those.callers.keys()
  }

  private newCaller(key: string): Caller {
    const caller = { key, sent: 0, firstTurn: 0, line: [] }
    // Turns count from here on.
    if (this.callers.size === 1) for (const other of this.callers.values()) this.unordered.add(other)
    this.callers.set(key, caller)
    return caller
  }

  private change(entry: Entry, stand: Stand): void {
    const { caller } = entry
    if (this.unordered.has(caller)) this.order(caller)
    const wasFirst = caller.line[0] === entry
    const isReordered = entry.stand === 'waits' ? !wasFirst : stand === 'waits'
    this.unrank(entry)
    this.count(entry, -1)
    entry.stand = stand
    this.count(entry, 1)
    if (isReordered) this.unordered.add(caller)
    else if (wasFirst) caller.firstTurn += 1
  }

  private count(entry: Entry, change: 1 | -1): void {
    const { caller } = entry
    if (entry.stand !== 'waits') {
      this[entry.stand === 'ahead' ? 'ahead' : 'holding'] += change
      caller.sent += change
    } else {
      this.waiting += change
      if (change > 0) caller.line.push(entry)
      else caller.line.splice(caller.line.indexOf(entry), 1)
    }
  }

  private orderAll(): void {
    for (const caller of this.unordered) this.order(caller)
  }

  /** Gives those of a caller that wait their turns anew. Among its visitors, each one's first goes first. */
  private order(caller: Caller): void {
    this.unordered.delete(caller)
    const turns = new Map(caller.line.map((entry) => [entry, this.visitorTurn(entry)]))
    caller.line.sort((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0) || a.arrival - b.arrival)
    caller.firstTurn = caller.sent
    for (const [index, entry] of caller.line.entries()) this.give(entry, caller.sent + index)
  }

  private give(entry: Entry, turn: number): void {
    if (entry.turn === turn) return
    this.unrank(entry)
    this.ranks.add(turn, entry.arrival)
    entry.turn = turn
  }

  private unrank(entry: Entry): void {
    if (entry.turn >= 0) this.ranks.delete(entry.turn, entry.arrival)
    entry.turn = -1
  }

  /** Of two that wait for the same caller. Below 0: the first one goes first. */
  private compare(a: Entry, b: Entry): number {
    return this.visitorTurn(a) - this.visitorTurn(b) || a.arrival - b.arrival
  }

  /** How many of its visitor go before it. */
  private visitorTurn({ visitor, arrival }: Entry): number {
    return placeIn(this.visitors.get(visitor)?.arrivals ?? [], arrival)
  }
}
