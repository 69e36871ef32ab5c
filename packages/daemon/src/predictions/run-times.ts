import type { DemoId } from '@origami/protocol/demo'
import type { Db } from '../store/open.ts'
import { lastTimes } from '../store/results.ts'

const timesAtMost = 20

/** With fewer nothing is foretold. */
const fewestTimes = 3

/** How many demos are remembered. Of one that is forgotten the times are read again. */
const demosAtMost = 1000

interface Times {
  readonly read: Promise<void>
  /** In seconds, by the arrival of the prediction. Undefined: they are being read. */
  seconds: Map<number, number> | undefined
  /** Of those. */
  longest: number | undefined
}

/** How long the last runs of demos took that succeeded: read once, and kept up to date by who ends one. */
export class RunTimes {
  private readonly db: Db
  private readonly demos = new Map<DemoId, Times>()

  constructor(db: Db) {
    this.db = db
  }

  /** In seconds, at most 20. */
  async of(demo: DemoId): Promise<readonly number[]> {
    const times = this.times(demo)
    await times.read
    return [...(times.seconds?.values() ?? [])]
  }

  /** The longest of them in seconds. Undefined: there are too few to tell, or none is read yet. */
  longest(demo: DemoId): number | undefined {
    const times = this.times(demo)
    const { seconds } = times
    if (!seconds || seconds.size < fewestTimes) return undefined
    times.longest ??= Math.max(...seconds.values())
    return times.longest
  }

  /** Notes a run that was stored as succeeded, by its prediction's arrival. Never rejects. */
  async add(demo: DemoId, arrival: number, seconds: number): Promise<void> {
    const times = this.demos.get(demo)
    // What is not known yet, or could not be read, has this run when it is read.
    if (!times?.seconds) await times?.read.catch(() => undefined)
    if (!times?.seconds) return
    times.longest = undefined
    times.seconds.set(arrival, seconds)
    if (times.seconds.size > timesAtMost) times.seconds.delete(Math.min(...times.seconds.keys()))
  }

  private times(demo: DemoId): Times {
    const known = this.demos.get(demo)
    if (known) return known
    const times: Times = { read: this.read(demo), seconds: undefined, longest: undefined }
    this.demos.set(demo, times)
    for (const oldest of this.demos.keys()) if (this.demos.size > demosAtMost) this.demos.delete(oldest)
    times.read.catch(() => this.demos.delete(demo))
    return times
  }

  private async read(demo: DemoId): Promise<void> {
    const rows = await lastTimes(this.db, demo, timesAtMost)
    const times = this.demos.get(demo)
    if (times) times.seconds = new Map(rows.map(({ arrival, seconds }) => [arrival, seconds]))
  }
}
