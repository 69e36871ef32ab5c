import type { DemoId, PredictionId } from '@origami/protocol/demo'
import type { Changes } from '../changes.ts'
import type { KnownDemos } from './known-demos.ts'
import { estimate, fairOrder } from './next.ts'
import type { OpenPredictions } from './open-predictions.ts'
import type { RunTimes } from './run-times.ts'

interface PlacesParts {
  readonly changed: Changes
  readonly demos: KnownDemos
  readonly open: OpenPredictions
  readonly times: RunTimes
}

export interface Place {
  readonly position: number
  readonly eta: number | null
}

/**
 * The place of each waiting prediction. It is computed once for everybody who follows a demo's queue, and again only
 * after a change.
 */
export class Places {
  private readonly parts: PlacesParts
  private readonly known = new Map<DemoId, { version: number; places: Promise<ReadonlyMap<PredictionId, Place>> }>()

  constructor(parts: PlacesParts) {
    this.parts = parts
  }

  /** Undefined: the prediction does not wait. */
  async find(demo: DemoId, id: PredictionId): Promise<Place | undefined> {
    const version = this.parts.changed.queueVersion(demo)
    const known = this.known.get(demo)
    if (known?.version === version) return (await known.places).get(id)
    const places = this.read(demo)
    this.known.set(demo, { version, places })
    // A failed reading is not kept, so that the next caller reads again.
    places.catch(() => this.known.delete(demo))
    const found = await places
    if (found.size === 0) this.known.delete(demo)
    return found.get(id)
  }

  private async read(id: DemoId): Promise<ReadonlyMap<PredictionId, Place>> {
    const { demos, open, times: runTimes } = this.parts
    const waiting = fairOrder(await open.of(id))
    const concurrency = (await demos.find(id))?.schema?.concurrency ?? 1
    const times = waiting.length > 0 ? await runTimes.of(id) : []
    return new Map(
      waiting.map(
        (row, index) => [row.id, { position: index + 1, eta: estimate(index + 1, concurrency, times) }] as const,
      ),
    )
  }
}
