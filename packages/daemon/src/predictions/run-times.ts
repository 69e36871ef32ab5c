import type { DemoId } from '@origami/protocol/demo'
import type { Db } from '../store/open.ts'
import { lastTimes } from '../store/results.ts'

const timesAtMost = 20

/** How many demos are remembered. Of one that is forgotten the times are read again. */
const demosAtMost = 1000

type Times = Map<number, number>

/** How long the last runs of demos took that succeeded: read once, and kept up to date by who ends one. */
export class RunTimes {
  private readonly db: Db
  private readonly demos = new Map<DemoId, Promise<Times>>()

  constructor(db: Db) {
    this.db = db
  }

  /** In seconds, at most 20. */
  async of(demo: DemoId): Promise<readonly number[]> {
    return [...(await this.times(demo)).values()]
  }

  /** Notes a run that was stored as succeeded, by its prediction's arrival. Never rejects. */
  async add(demo: DemoId, arrival: number, seconds: number): Promise<void> {
    // What is not known yet, or could not be read, has this run when it is read.
    const times = await this.demos.get(demo)?.catch(() => undefined)
    times?.set(arrival, seconds)
    if (times && times.size > timesAtMost) times.delete(Math.min(...times.keys()))
  }

  private times(demo: DemoId): Promise<Times> {
    const known = this.demos.get(demo)
    if (known) return known
    const read = lastTimes(this.db, demo, timesAtMost).then(
      (rows) => new Map(rows.map(({ arrival, seconds }) => [arrival, seconds] as const)),
    )
    this.demos.set(demo, read)
    for (const oldest of this.demos.keys()) if (this.demos.size > demosAtMost) this.demos.delete(oldest)
    read.catch(() => this.demos.delete(demo))
    return read
  }
}
