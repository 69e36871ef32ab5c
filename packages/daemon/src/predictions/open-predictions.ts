import type { DemoId } from '@origami/protocol/demo'
import type { Changes, PredictionsListener } from '../changes.ts'
import type { Db } from '../store/open.ts'
import { type OpenPrediction, openPrediction, openPredictions } from '../store/open-predictions.ts'

/**
 * Every prediction that waits or runs, without what is in it, in memory: the table of predictions is the truth, and
 * this follows it. Who changes a row says what it is now; where they do not, the row is read again.
 */
export class OpenPredictions implements PredictionsListener {
  private readonly db: Db
  /** By arrival, of each demo that has any. */
  private readonly demos = new Map<DemoId, Map<number, OpenPrediction>>()
  private readonly demoOf = new Map<number, DemoId>()
  private readonly staleDemos = new Set<DemoId>()
  private readonly staleRows = new Set<number>()
  private isLoaded = false
  private reading: Promise<void> | undefined

  constructor(db: Db, changed: Changes) {
    this.db = db
    changed.listen(this)
  }

  /** All in order of arrival. */
  async all(): Promise<OpenPrediction[]> {
    await this.upToDate()
    return inOrder([...this.demos.values()].flatMap((rows) => [...rows.values()]))
  }

  /** Those of one demo, in order of arrival. */
  async of(demo: DemoId): Promise<OpenPrediction[]> {
    await this.upToDate()
    return inOrder([...(this.demos.get(demo)?.values() ?? [])])
  }

  /** Undefined: it ended, or there is none such. */
  async find(arrival: number): Promise<OpenPrediction | undefined> {
    await this.upToDate()
    const demo = this.demoOf.get(arrival)
    return demo && this.demos.get(demo)?.get(arrival)
  }

  demoChanged(demo: DemoId): void {
    if (this.isLoaded) this.staleDemos.add(demo)
  }

  predictionChanged(arrival: number, now?: OpenPrediction | 'ended'): void {
    // While rows are read it is not known which of the two is newer.
    if (now === undefined || this.reading) this.staleRows.add(arrival)
    else this.put(arrival, now)
  }

  private async upToDate(): Promise<void> {
    while (this.reading || !this.isLoaded || this.staleDemos.size > 0 || this.staleRows.size > 0) {
      this.reading ??= this.read().finally(() => {
        this.reading = undefined
      })
      await this.reading
    }
  }

  /** What fails to be read stays stale, and is read by who asks next. */
  private async read(): Promise<void> {
    if (!this.isLoaded) {
      for (const row of await openPredictions(this.db)) this.put(row.arrival, row)
      this.isLoaded = true
    }
    for (const demo of [...this.staleDemos]) {
      this.staleDemos.delete(demo)
      await this.orStale(this.staleDemos, demo, () => this.readDemo(demo))
    }
    for (const arrival of [...this.staleRows]) {
      this.staleRows.delete(arrival)
      await this.orStale(this.staleRows, arrival, async () =>
        this.put(arrival, (await openPrediction(this.db, arrival)) ?? 'ended'),
      )
    }
  }

  private async orStale<Key>(stale: Set<Key>, key: Key, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      stale.add(key)
      throw error
    }
  }

  private async readDemo(demo: DemoId): Promise<void> {
    const rows = await openPredictions(this.db, demo)
    const arrivals = new Set(rows.map(({ arrival }) => arrival))
    for (const arrival of this.demos.get(demo)?.keys() ?? []) if (!arrivals.has(arrival)) this.put(arrival, 'ended')
    for (const row of rows) this.put(row.arrival, row)
  }

  private put(arrival: number, now: OpenPrediction | 'ended'): void {
    const demo = now === 'ended' ? this.demoOf.get(arrival) : now.demo
    if (demo === undefined) return
    const rows = this.demos.get(demo) ?? new Map<number, OpenPrediction>()
    if (now === 'ended') {
      this.demoOf.delete(arrival)
      rows.delete(arrival)
      if (rows.size === 0) this.demos.delete(demo)
      return
    }
    this.demoOf.set(arrival, demo)
    rows.set(arrival, now)
    this.demos.set(demo, rows)
  }
}

const inOrder = (rows: OpenPrediction[]): OpenPrediction[] => rows.sort((a, b) => a.arrival - b.arrival)
