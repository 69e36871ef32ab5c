import type { DemoId } from '@origami/protocol/demo'
import { routes, storedSchema } from '../store/demos.ts'
import { deploymentById } from '../store/deployments.ts'
import { changePrediction, openPredictions, predictionById } from '../store/predictions.ts'
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
    for (const { id, demo, running } of await openPredictions(this.parts.db)) {
      const row = running ? await predictionById(this.parts.db, demo, id) : undefined
      if (!row) continue
      const deployment = row.deployment ? await deploymentById(this.parts.db, row.deployment) : undefined
      const { endpoint, schema } = deployment ?? {}
      this.follow(row, (run) => (endpoint && schema ? run.join(endpoint, storedSchema(schema)) : run.interrupted()))
    }
  }

  private async send(): Promise<void> {
    const { db, limits, now } = this.parts
    const [waiting, ways] = [await openPredictions(db), await routes(db)]
    const concurrency = new Map<DemoId, number>([...ways].map(([demo, route]) => [demo, route.schema.concurrency]))
    for (const { id, demo } of next(waiting, concurrency, limits)) {
      const [row, route] = [await predictionById(db, demo, id), ways.get(demo)]
      if (!row || !route || this.runs.has(row.arrival)) continue
      const { id: deployment, commit_sha } = route.deployment
      const sent = { status: 'processing' as const, deployment, commit_sha, started_at: now() }
      if (await changePrediction(db, row.arrival, 'starting', sent)) {
        this.follow({ ...row, ...sent }, (run) => run.start(route.endpoint, route.schema))
        this.parts.changed.notify(row.demo_id)
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
        this.parts.changed.notify(row.demo_id)
      })
    this.runs.set(row.arrival, done)
  }
}
