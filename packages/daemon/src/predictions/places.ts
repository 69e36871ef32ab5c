import type { DemoId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'
import type { KnownDemos } from './known-demos.ts'
import { estimate } from './next.ts'
import type { OpenPredictions } from './open-predictions.ts'
import type { RunTimes } from './run-times.ts'
import type { Turns } from './turns.ts'

interface PlacesParts {
  readonly demos: KnownDemos
  readonly open: OpenPredictions
  readonly times: RunTimes
  readonly turns: Turns
}

export interface Place {
  readonly position: number
  readonly eta: number | null
}

/** Who follows the place of a prediction. */
export interface PlaceFollower {
  readonly demo: DemoId
  readonly arrival: number
  /** The place that it was told last. */
  told: Place | undefined
  readonly wake: () => void
}

/** The least time between two reports of places of one demo. */
const betweenMs = 250

/** Up to here each change of a place is told, and beyond it those by a tenth. */
const exactUntil = 50

/** The place of each waiting prediction, and how long it waits for its turn. */
export class Places {
  private readonly parts: PlacesParts
  private readonly followers = new Map<DemoId, Set<PlaceFollower>>()
  /** When followers of a demo are told next. */
  private readonly timers = new Map<DemoId, NodeJS.Timeout>()
  private readonly lastToldMs = new Map<DemoId, number>()

  constructor(parts: PlacesParts) {
    this.parts = parts
    parts.turns.watch((demo) => this.tellSoon(demo))
  }

  /** Undefined: the prediction does not wait. */
  async find(demo: DemoId, arrival: number): Promise<Place | undefined> {
    await this.parts.open.upToDate()
    const position = this.parts.turns.placeOf(demo, arrival)
    return position === undefined ? undefined : (await this.estimates(demo))(position)
  }

  /** Wakes a follower once its place is news to it, at most four times a second. Returns what ends that. */
  follow(follower: PlaceFollower): () => void {
    const { demo } = follower
    const those = this.followers.get(demo) ?? new Set()
    this.followers.set(demo, those.add(follower))
    // It may have changed since it was told.
    this.tellSoon(demo)
    return () => {
      those.delete(follower)
      if (those.size > 0 || this.followers.get(demo) !== those) return
      this.followers.delete(demo)
      this.lastToldMs.delete(demo)
      clearTimeout(this.timers.get(demo))
      this.timers.delete(demo)
    }
  }

  private tellSoon(demo: DemoId): void {
    if (!this.followers.has(demo) || this.timers.has(demo)) return
    const sinceMs = performance.now() - (this.lastToldMs.get(demo) ?? -betweenMs)
    const tell = () => void logged(`places of demo ${demo} could not be told`, () => this.tell(demo))
    this.timers.set(demo, setTimeout(tell, Math.max(0, betweenMs - sinceMs)))
  }

  private async tell(demo: DemoId): Promise<void> {
    this.timers.delete(demo)
    this.lastToldMs.set(demo, performance.now())
    const placeAt = await this.estimates(demo)
    for (const follower of this.followers.get(demo) ?? []) {
      const position = this.parts.turns.placeOf(demo, follower.arrival)
      if (position !== undefined && isNews(placeAt(position), follower.told)) follower.wake()
    }
  }

  private async estimates(demo: DemoId): Promise<(position: number) => Place> {
    const { demos, times } = this.parts
    const concurrency = (await demos.find(demo))?.schema?.concurrency ?? 1
    const seconds = await times.of(demo)
    return (position) => ({ position, eta: estimate(position, concurrency, seconds) })
  }
}

/** Whether a place differs from the one told last by enough to tell it. */
export function isNews(now: Place, told: Place | undefined): boolean {
  if (!told) return true
  if (now.position <= exactUntil) return now.position !== told.position || now.eta !== told.eta
  return Math.abs(now.position - told.position) >= told.position / 10
}
