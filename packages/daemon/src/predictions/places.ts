import type { DemoId } from '@origami/protocol/demo'
import type { KnownDemos } from './known-demos.ts'
import { estimate } from './next.ts'
import type { RunTimes } from './run-times.ts'
import type { Turns } from './turns.ts'

interface PlacesParts {
  readonly demos: KnownDemos
  readonly times: RunTimes
  readonly turns: Turns
}

export interface Place {
  readonly position: number
  readonly eta: number | null
}

/** The place of each waiting prediction, and how long it waits for its turn. */
export class Places {
  private readonly parts: PlacesParts

  constructor(parts: PlacesParts) {
    this.parts = parts
  }

  /** Undefined: the prediction does not wait. */
  async find(demo: DemoId, arrival: number): Promise<Place | undefined> {
    const { demos, times, turns } = this.parts
    const position = await turns.placeOf(demo, arrival)
    if (position === undefined) return undefined
    const concurrency = (await demos.find(demo))?.schema?.concurrency ?? 1
    return { position, eta: estimate(position, concurrency, await times.of(demo)) }
  }
}
