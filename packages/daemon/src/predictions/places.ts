import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DemoId } from '@origami/protocol/demo'
import { logged } from '../logged.ts'
import type { KnownDemos } from './known-demos.ts'
import type { OpenPredictions } from './open-predictions.ts'
import type { RunTimes } from './run-times.ts'
import { estimate } from './turns/next.ts'
import type { Turns } from './turns/turns.ts'

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
  readonly told: Place | undefined
  /** Called with a place that is news to it. */
  readonly tell: (place: Place) => void
}

/** The least time between two reports of places of one demo. */
const betweenMs = 250

/** Up to here each change of a place is told, and beyond it those by a tenth. */
const exactUntil = 50

/** So many followers are told before others have their turn. */
const toldAtOnce = 100

/** Those who follow places of one demo. */
interface Audience {
  readonly followers: Set<PlaceFollower>
  /** When they are told next. */
  timer: NodeJS.Timeout | undefined
  isTold: boolean
  /** Whether places may have changed since they were begun to be told. */
  isStale: boolean
  lastToldMs: number
}

/** The place of each waiting prediction, and how long it waits for its turn. */
export class Places {
  private readonly parts: PlacesParts
  private readonly audiences = new Map<DemoId, Audience>()

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

  /** Tells a follower each place that is news to it, at most four times a second. Returns what ends that. */
  follow(follower: PlaceFollower): () => void {
    const { demo } = follower
    const audience = this.audiences.get(demo) ?? nobody()
    this.audiences.set(demo, audience)
    audience.followers.add(follower)
    // It may have changed since it was told.
    this.tellSoon(demo)
    return () => {
      audience.followers.delete(follower)
      if (audience.followers.size > 0 || this.audiences.get(demo) !== audience) return
      this.audiences.delete(demo)
      clearTimeout(audience.timer)
    }
  }

  private tellSoon(demo: DemoId): void {
    const audience = this.audiences.get(demo)
    if (!audience || audience.timer) return
    audience.isStale = true
    if (audience.isTold) return
    const waitMs = Math.max(0, betweenMs - (performance.now() - audience.lastToldMs))
    const tell = () => logged(`places of demo ${demo} could not be told`, () => this.tell(demo, audience))
    audience.timer = setTimeout(() => void tell(), waitMs)
  }

  /** Places are computed once for all, and others have their turn after every few that are told. */
  private async tell(demo: DemoId, audience: Audience): Promise<void> {
    audience.timer = undefined
    audience.isTold = true
    audience.isStale = false
    audience.lastToldMs = performance.now()
    try {
      const placeAt = await this.estimates(demo)
      let seen = 0
      for (const follower of audience.followers) {
        if (seen > 0 && seen % toldAtOnce === 0) await nextTurn()
        seen += 1
        const position = this.parts.turns.placeOf(demo, follower.arrival)
        const place = position === undefined ? undefined : placeAt(position)
        if (place && isNews(place, follower.told)) follower.tell(place)
      }
    } finally {
      audience.isTold = false
      if (audience.isStale) this.tellSoon(demo)
    }
  }

  private async estimates(demo: DemoId): Promise<(position: number) => Place> {
    const { demos, times } = this.parts
    const concurrency = (await demos.find(demo))?.schema?.concurrency ?? 1
    const roundSeconds = estimate(1, 1, await times.of(demo))
    const etaAt = (position: number) => roundSeconds && Math.ceil(position / concurrency) * roundSeconds
    return (position) => ({ position, eta: etaAt(position) })
  }
}

const nobody = (): Audience => ({
  followers: new Set(),
  timer: undefined,
  isTold: false,
  isStale: false,
  lastToldMs: Number.NEGATIVE_INFINITY,
})

/** Whether a place differs from the one told last by enough to tell it. */
export function isNews(now: Place, told: Place | undefined): boolean {
  if (!told) return true
  if (now.position <= exactUntil) return now.position !== told.position || now.eta !== told.eta
  return Math.abs(now.position - told.position) >= told.position / 10
}
