import type { DemoId, Input, PredictionId } from '@origami/protocol/demo'
import type { Changes, PredictionNow, PredictionsListener } from '../changes.ts'
import type { Db } from '../store/open.ts'
import {
  type EndedPrediction,
  type OpenPrediction,
  openPrediction,
  openPredictions,
} from '../store/open-predictions.ts'
import { inputOf } from '../store/predictions.ts'
import { Newest } from './newest.ts'
import { WaitingCounts } from './turns/waiting-counts.ts'

/** An input, parsed. */
export interface StoredInput {
  readonly input: Input
  /** The length of its text. */
  readonly length: number
}

type RowWatcher = (arrival: number, row: OpenPrediction | undefined) => void

/** How much text of inputs, and of ends, is kept at most. */
const contentsBytes = 32 * 1024 ** 2

/**
 * Every prediction that waits or runs, in memory: the table of predictions is the truth, and this follows it. Who
 * changes a row says what it is now; where they do not, the row is read again. What is in a prediction is kept as long
 * as there is room for it.
 */
export class OpenPredictions implements PredictionsListener {
  /** Counts those that wait. */
  readonly waiting = new WaitingCounts()
  private readonly db: Db
  private readonly rows = new Map<number, OpenPrediction>()
  private readonly arrivals = new Map<string, number>()
  /** Of each demo that has any, their arrivals. */
  private readonly demos = new Map<DemoId, Set<number>>()
  private readonly inputs = new Newest<number, StoredInput>(contentsBytes)
  private readonly ends = new Newest<number, EndedPrediction>(contentsBytes)
  private readonly staleDemos = new Set<DemoId>()
  private readonly staleRows = new Set<number>()
  private readonly watchers: RowWatcher[] = []
  private isLoaded = false
  private reading: Promise<void> | undefined

  constructor(db: Db, changed: Changes) {
    this.db = db
    changed.listen(this)
  }

  /** Tells each row as it is from now on. Undefined: it ended, or there is none such. */
  watch(watcher: RowWatcher): void {
    this.watchers.push(watcher)
  }

  /** All in order of arrival. */
  async all(): Promise<OpenPrediction[]> {
    await this.upToDate()
    return inOrder([...this.rows.values()])
  }

  /** Those of one demo, in order of arrival. */
  async of(demo: DemoId): Promise<OpenPrediction[]> {
    await this.upToDate()
    return inOrder([...(this.demos.get(demo) ?? [])].flatMap((arrival) => this.rows.get(arrival) ?? []))
  }

  /** Undefined: it ended, or there is none such. */
  async find(arrival: number): Promise<OpenPrediction | undefined> {
    if (!this.isUpToDate) await this.upToDate()
    return this.rows.get(arrival)
  }

  /** Whether all changes that were told are known. */
  get isUpToDate(): boolean {
    return !this.reading && this.isLoaded && this.staleDemos.size === 0 && this.staleRows.size === 0
  }

  /** By what is known now, as `find` tells it of what is up to date. */
  known(arrival: number): OpenPrediction | undefined {
    return this.rows.get(arrival)
  }

  /** By what is known now: call `upToDate` before. */
  byId(demo: DemoId, id: PredictionId): OpenPrediction | undefined {
    return this.rows.get(this.arrivals.get(`${demo} ${id}`) ?? 0)
  }

  /** How a prediction ended that ended a moment ago. Undefined: the store knows. */
  endOf(arrival: number): EndedPrediction | undefined {
    return this.ends.get(arrival)
  }

  /** The input of a prediction. Undefined: there is none such. */
  async inputOf(arrival: number): Promise<StoredInput | undefined> {
    const known = this.inputs.get(arrival)
    if (known) return known
    const text = await inputOf(this.db, arrival)
    return text === undefined ? undefined : { input: JSON.parse(text), length: text.length }
  }

  /** Keeps the input of a prediction that was stored just now. */
  keepInput(arrival: number, stored: StoredInput): void {
    this.inputs.set(arrival, stored, 2 * stored.length)
  }

  demoChanged(demo: DemoId): void {
    if (this.isLoaded) this.staleDemos.add(demo)
  }

  predictionChanged(arrival: number, now?: PredictionNow): void {
    // While rows are read it is not known which of the two is newer.
    if (now === undefined || this.reading) this.staleRows.add(arrival)
    if (now === undefined) return
    if (now === 'ended') this.put(arrival, undefined)
    else if ('snapshot' in now) this.end(arrival, now)
    else this.change(arrival, now)
  }

  /** Resolves once all changes that were told are known. */
  async upToDate(): Promise<void> {
    while (!this.isUpToDate) {
      this.reading ??= this.read().finally(() => {
        this.reading = undefined
      })
      await this.reading
    }
  }

  /** What fails to be read stays stale, and is read by who asks next. */
  private async read(): Promise<void> {
    if (!this.isLoaded) {
      for (const row of await openPredictions(this.db)) this.putRead(row)
      this.isLoaded = true
    }
    for (const demo of [...this.staleDemos]) {
      this.staleDemos.delete(demo)
      await this.orStale(this.staleDemos, demo, () => this.readDemo(demo))
    }
    for (const arrival of [...this.staleRows]) {
      this.staleRows.delete(arrival)
      await this.orStale(this.staleRows, arrival, async () => {
        const row = await openPrediction(this.db, arrival)
        if (row) this.putRead(row)
        else this.put(arrival, undefined)
      })
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
    for (const arrival of [...(this.demos.get(demo) ?? [])]) if (!arrivals.has(arrival)) this.put(arrival, undefined)
    for (const row of rows) this.putRead(row)
  }

  private end(arrival: number, end: EndedPrediction): void {
    this.ends.set(arrival, end, end.size)
    this.put(arrival, undefined)
  }

  /** That it runs is stored last, and nothing that runs waits again. */
  private putRead(row: OpenPrediction): void {
    const { running, startedAt, deadlineAt } = this.rows.get(row.arrival) ?? row
    this.put(row.arrival, running && !row.running ? { ...row, running, startedAt, deadlineAt } : row)
  }

  private change(arrival: number, now: Partial<OpenPrediction>): void {
    const known = this.rows.get(arrival)
    const row = { ...known, ...now }
    if (isWhole(row)) this.put(arrival, row)
    else this.staleRows.add(arrival)
  }

  /** Undefined: it ended, or there is none such. */
  private put(arrival: number, row: OpenPrediction | undefined): void {
    const before = this.rows.get(arrival)
    if (before && !before.running) this.waiting.add(before, -1)
    if (row && !row.running) this.waiting.add(row, 1)
    if (row) this.rows.set(arrival, row)
    else this.rows.delete(arrival)
    if (row && !before) this.enter(row)
    if (before && !row) this.leave(before)
    for (const watch of this.watchers) watch(arrival, row)
  }

  private enter({ arrival, demo, id }: OpenPrediction): void {
    this.arrivals.set(`${demo} ${id}`, arrival)
    const those = this.demos.get(demo) ?? new Set()
    this.demos.set(demo, those.add(arrival))
  }

  private leave({ arrival, demo, id }: OpenPrediction): void {
    this.arrivals.delete(`${demo} ${id}`)
    this.inputs.delete(arrival)
    const those = this.demos.get(demo)
    those?.delete(arrival)
    if (those?.size === 0) this.demos.delete(demo)
  }
}

const inOrder = (rows: OpenPrediction[]): OpenPrediction[] => rows.sort((a, b) => a.arrival - b.arrival)

const isWhole = (row: Partial<OpenPrediction>): row is OpenPrediction => row.arrival !== undefined
