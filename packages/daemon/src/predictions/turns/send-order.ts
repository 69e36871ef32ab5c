import type { DemoId } from '@origami/protocol/demo'
import { DemoLine, type Entrant, type Stand } from './demo-line.ts'
import { type Chosen, partOf, type QueueLimits, type Room } from './next.ts'

/** How many predictions of a demo wait, hold a place, and are ahead. */
export type Counts = Pick<DemoLine, 'waiting' | 'holding' | 'ahead'>

/**
 * Which prediction is to be sent next, as `next` and `nextAhead` say it of all rows, kept as they come and go: a step
 * looks at the demos for which somebody waits, and not at what waits for them.
 */
export class SendOrder {
  /** Places that are held, of all demos. */
  holding = 0
  private readonly lines = new Map<DemoId, DemoLine>()
  private readonly demoOf = new Map<number, DemoId>()
  private readonly withWaiting = new Map<DemoId, DemoLine>()
  private demosHolding = 0

  /** The demos for which any waits. */
  get demosWaiting(): Iterable<DemoId> {
    return this.withWaiting.keys()
  }

  set(entrant: Entrant, stand: Stand): void {
    this.demoOf.set(entrant.arrival, entrant.demo)
    const line = this.lines.get(entrant.demo) ?? new DemoLine()
    this.lines.set(entrant.demo, line)
    this.changed(entrant.demo, line, () => line.set(entrant, stand))
  }

  delete(arrival: number): void {
    const demo = this.demoOf.get(arrival)
    const line = demo && this.lines.get(demo)
    if (!line) return
    this.demoOf.delete(arrival)
    this.changed(demo, line, () => line.delete(arrival))
    if (line.isEmpty) this.lines.delete(demo)
  }

  /** The place among those that wait for its demo. 1 is next. Undefined: it does not wait. */
  placeOf(arrival: number): number | undefined {
    return this.line(this.demoOf.get(arrival))?.placeOf(arrival)
  }

  of(demo: DemoId): Counts {
    return this.line(demo) ?? { waiting: 0, holding: 0, ahead: 0 }
  }

  /** The next one to send. `room`: undefined without a route. */
  next(room: (demo: DemoId) => Room | undefined, limits: QueueLimits): Chosen<number> | undefined {
    const part = partOf(limits)
    const able: DemoLine[] = []
    let ahead: number | undefined
    for (const [demo, line] of this.withWaiting) {
      const has = room(demo)
      if (has && line.holding < Math.min(part, has.concurrency)) able.push(line)
      else if (has && able.length === 0 && line.ahead < has.ahead)
        ahead = Math.min(ahead ?? Number.POSITIVE_INFINITY, line.first ?? 0)
    }
    if (able.length > 0) return this.nextOf(able, limits)
    return ahead === undefined ? undefined : { row: ahead, isAhead: true }
  }

  private nextOf(able: readonly DemoLine[], limits: QueueLimits): Chosen<number> | undefined {
    if (this.holding >= limits.running) return undefined
    const sharing = this.demosHolding + able.filter(({ holding }) => holding === 0).length
    const share = Math.ceil(limits.running / sharing)
    let best: { holding: number; first: number } | undefined
    for (const { holding, first = 0 } of able)
      if (able.length === 1 || holding < share)
        if (!best || holding < best.holding || (holding === best.holding && first < best.first))
          best = { holding, first }
    return best && { row: best.first, isAhead: false }
  }

  private line(demo: DemoId | undefined): DemoLine | undefined {
    return demo && this.lines.get(demo)
  }

  private changed(demo: DemoId, line: DemoLine, change: () => void): void {
    const before = line.holding
    change()
    this.holding += line.holding - before
    this.demosHolding += Number(line.holding > 0) - Number(before > 0)
    if (line.waiting > 0) this.withWaiting.set(demo, line)
    else this.withWaiting.delete(demo)
  }
}
