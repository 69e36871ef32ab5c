import type { DemoId } from '@origami/protocol/demo'
import { routes } from '../store/demos.ts'
import { deploymentById } from '../store/deployments.ts'
import { changePrediction, openPredictions } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import { next } from './next.ts'
import type { DispatcherParts } from './parts.ts'
import { Run } from './run.ts'

/** Sends waiting predictions to instances, never more to one than its concurrency, and joins those an earlier daemon sent. */
export class Dispatcher {
  private readonly parts: DispatcherParts
  private readonly signal: AbortSignal
  private readonly runs = new Map<number, Promise<void>>()

  constructor(parts: DispatcherParts, signal: AbortSignal) {
    this.parts = parts
    this.signal = signal
  }

  /** Goes on until the signal aborts, a round after each change. */
  async work(): Promise<void> {
    await this.joinAgain()
    while (!this.signal.aborted) {
      const change = this.parts.changed.next(this.signal)
      await this.send().catch((error: unknown) => console.error('predictions could not be sent', error))
      await change
    }
    await Promise.all(this.runs.values())
  }

  /** Those that ran when the daemon went away: where their instance is still there, their story is told from the start. */
  private async joinAgain(): Promise<void> {
    for (const row of await openPredictions(this.parts.db)) {
      if (row.status !== 'processing') continue
      const deployment = row.deployment ? await deploymentById(this.parts.db, row.deployment) : undefined
      this.follow(row, (run) => (deployment?.endpoint ? run.join(deployment.endpoint) : run.interrupted()))
    }
  }

  private async send(): Promise<void> {
    const { db, limits, now } = this.parts
    const [rows, ways] = [await openPredictions(db), await routes(db)]
    const concurrency = new Map<DemoId, number>([...ways].map(([demo, route]) => [demo, route.schema.concurrency]))
    const waiting = rows.map((row) => ({
      id: row.id,
      demo: row.demo_id,
      visitor: row.visitor,
      running: row.status === 'processing',
    }))
    for (const id of next(waiting, concurrency, limits)) {
      const row = rows.find((entry) => entry.id === id && entry.status === 'starting')
      const route = row && ways.get(row.demo_id)
      if (!row || !route || this.runs.has(row.arrival)) continue
      const { id: deployment, commit_sha } = route.deployment
      const sent = { status: 'processing' as const, deployment, commit_sha, started_at: now() }
      if (await changePrediction(db, row.arrival, 'starting', sent)) {
        this.follow({ ...row, ...sent }, (run) => run.start(route.endpoint, route.schema))
        this.parts.changed.notify()
      }
    }
  }

  private follow(row: PredictionRow, work: (run: Run) => Promise<void>): void {
    const run = new Run(this.parts, row, this.signal)
    const done = work(run)
      .catch((error: unknown) => run.broke(error))
      .finally(() => {
        this.runs.delete(row.arrival)
        this.parts.live.close(row.arrival)
        this.parts.changed.notify()
      })
    this.runs.set(row.arrival, done)
  }
}
