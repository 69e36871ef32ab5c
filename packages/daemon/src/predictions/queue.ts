import {
  type DemoId,
  type DemoSchema,
  Full,
  Gone,
  type Health,
  Invalid,
  type PredictionId,
  type VisitorId,
  validateInput,
} from '@origami/protocol/demo'
import { checkFiles, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import type { Insertable } from 'kysely'
import { demoById, routes, schemaOf } from '../store/demos.ts'
import { addPredictions, openPredictions, predictionById } from '../store/predictions.ts'
import type { DemoRow, Tables } from '../store/tables.ts'
import type { QueueParts } from './parts.ts'
import { QueuedPrediction } from './queued-prediction.ts'

type NewRow = Insertable<Tables['predictions']>

/** The queue of every demo: the table of predictions. A prediction is a row before it is answered. */
export class Queue {
  private readonly parts: QueueParts
  private arriving: { row: NewRow; stored: PromiseWithResolvers<void> }[] = []

  constructor(parts: QueueParts) {
    this.parts = parts
  }

  /** The demo as a Predictor. Undefined: no such demo. */
  async predictor(id: DemoId): Promise<Predictor | undefined> {
    const demo = await demoById(this.parts.db, id)
    if (!demo) return undefined
    return {
      files: this.parts.files,
      schema: () => this.schema(demo),
      health: () => this.health(demo),
      submit: (request) => this.submit(demo, request),
      find: (prediction) => this.find(demo, prediction),
    }
  }

  private async schema(demo: DemoRow): Promise<DemoSchema> {
    const schema = await schemaOf(this.parts.db, demo)
    if (!schema) throw new Gone('This demo has not been live yet.')
    return schema
  }

  private async health(demo: DemoRow): Promise<Health> {
    const live = (await routes(this.parts.db)).has(demo.id)
    return { status: live ? 'READY' : 'STARTING', setup: null, version: { origami: '1' } }
  }

  private async submit(demo: DemoRow, { id, input: given, visitor }: PredictionRequest): Promise<Prediction> {
    const { db, files, limits, now } = this.parts
    const before = await this.find(demo, id)
    if (before) return before
    if (demo.want === 'stopped') throw new Gone('This demo is stopped.')
    const schema = await this.schema(demo)
    const { input, problems } = validateInput(schema, given)
    const wrong = problems.length > 0 ? problems : await checkFiles(schema, input, files)
    if (wrong.length > 0) throw new Invalid(wrong)
    const waiting = (await openPredictions(db, demo.id)).filter(({ running }) => !running)
    if (waiting.length >= limits.waiting)
      throw new Full(`${waiting.length} predictions wait for this demo already; try again later`, 30)
    await this.store({
      id,
      demo_id: demo.id,
      visitor: visitor ?? null,
      status: 'starting',
      input: JSON.stringify(input),
      created_at: now(),
    })
    return new QueuedPrediction(this.parts, demo.id, id, visitor ?? null)
  }

  private async find(demo: DemoRow, id: PredictionId): Promise<Prediction | undefined> {
    const row = await predictionById(this.parts.db, demo.id, id)
    return row && new QueuedPrediction(this.parts, demo.id, id, row.visitor as VisitorId | null)
  }

  /** All that arrive in one turn of the event loop are one transaction. Resolves once it is durable. */
  private store(row: NewRow): Promise<void> {
    if (this.arriving.length === 0) setImmediate(() => void this.flush())
    const stored = Promise.withResolvers<void>()
    this.arriving.push({ row, stored })
    return stored.promise
  }

  private async flush(): Promise<void> {
    const batch = this.arriving
    this.arriving = []
    try {
      await this.parts.db.transaction().execute((trx) =>
        addPredictions(
          trx,
          batch.map(({ row }) => row),
        ),
      )
      for (const { stored } of batch) stored.resolve()
      for (const demo of new Set(batch.map(({ row }) => row.demo_id))) this.parts.changed.notify(demo)
    } catch (error) {
      for (const { stored } of batch) stored.reject(error)
    }
  }
}
