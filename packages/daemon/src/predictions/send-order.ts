import type { DemoId } from '@origami/protocol/demo'
import { DemoLine, type Entrant } from './demo-line.ts'
import { partOf, type QueueLimits } from './next.ts'

/**
 * Which prediction is to be sent next, as `next` says it of all rows, kept as they come and go: a step looks at the
 * demos for which somebody waits, and not at what waits for them.
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

  /** `holds`: whether it holds a place, or else waits for one. */
  set(entrant: Entrant, holds: boolean): void {
    this.demoOf.set(entrant.arrival, entrant.demo)
    const line = this.lines.get(entrant.demo) ?? new DemoLine()
    this.lines.set(entrant.demo, line)
    this.changed(entrant.demo, line, () => line.set(entrant, holds))
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

  /** How many of a demo wait, and how many hold a place. */
  of(demo: DemoId): { readonly waiting: number; readonly holding: number } {
    return this.line(demo) ?? { waiting: 0, holding: 0 }
  }

  /** The arrival of the next one to send. `concurrency`: how many a demo takes at a time, 0 without a route. */
  next(concurrency: (demo: DemoId) => number, limits: QueueLimits): number | undefined {
    if (this.holding >= limits.running) return undefined
    const part = partOf(limits)
    const able = [...this.withWaiting].flatMap(([demo, line]) =>
      line.holding < Math.min(part, concurrency(demo)) ? [line] : [],
    )
    const sharing = this.demosHolding + able.filter(({ holding }) => holding === 0).length
    const share = Math.ceil(limits.running / sharing)
    let best: { holding: number; first: number } | undefined
    for (const { holding, first = 0 } of able)
      if (able.length === 1 || holding < share)
        if (!best || holding < best.holding || (holding === best.holding && first < best.first))
          best = { holding, first }
    return best?.first
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
