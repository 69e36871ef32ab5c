import {
  type DemoId,
  type DemoSchema,
  Gone,
  type Health,
  Invalid,
  type PredictionId,
  validateInput,
} from '@origami/protocol/demo'
import { checkFiles, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import { demoById, routeOf, schemaOf } from '../store/demos.ts'
import { predictionById } from '../store/predictions.ts'
import type { DemoRow } from '../store/tables.ts'
import { demoStopped } from './admission.ts'
import { Arrivals } from './arrivals.ts'
import { filesOfFields } from './file-transfer.ts'
import type { QueueParts } from './parts.ts'
import { QueuedPrediction } from './queued-prediction.ts'

/**
 * The queue of every demo, which is the table of predictions. A prediction is stored before its request is answered.
 */
export class Queue {
  private readonly parts: QueueParts
  private readonly arrivals: Arrivals

  constructor(parts: QueueParts) {
    this.parts = parts
    this.arrivals = new Arrivals(parts.db, parts.changed, parts.limits)
  }

  /** The demo as a Predictor for a caller at `address`. Undefined: there is no such demo. */
  async predictor(id: DemoId, address?: string): Promise<Predictor | undefined> {
    const demo = await demoById(this.parts.db, id)
    if (!demo) return undefined
    return {
      files: this.parts.files,
      schema: () => this.schema(demo),
      health: () => this.health(demo),
      submit: (request) => this.submit(demo, request, address),
      find: (prediction) => this.find(demo, prediction),
    }
  }

  private async schema(demo: DemoRow): Promise<DemoSchema> {
    const schema = await schemaOf(this.parts.db, demo)
    if (!schema) throw new Gone('This demo has not been live yet.')
    return schema
  }

  private async health(demo: DemoRow): Promise<Health> {
    const live = (await routeOf(this.parts.db, demo.id)) !== undefined
    return { status: live ? 'READY' : 'STARTING', setup: null, version: { origami: '1' } }
  }

  private async submit(
    demo: DemoRow,
    { id, input: submitted, visitor }: PredictionRequest,
    address: string | undefined,
  ): Promise<Prediction> {
    const { files, now } = this.parts
    const before = await this.find(demo, id)
    if (before) return before
    if (demo.want === 'stopped') throw demoStopped()
    const schema = await this.schema(demo)
    const { input, problems } = validateInput(schema, submitted)
    const wrong = problems.length > 0 ? problems : await checkFiles(schema, input, files)
    if (wrong.length > 0) throw new Invalid(wrong)
    const row = {
      id,
      demo_id: demo.id,
      visitor: visitor ?? null,
      address: address ?? null,
      status: 'starting' as const,
      input: JSON.stringify(input),
      created_at: now(),
    }
    const arrival = await this.arrivals.add({ row, files: filesOfFields(schema.inputs, input) })
    return new QueuedPrediction(this.parts, { arrival, demo: demo.id, id, visitor: visitor ?? null })
  }

  private async find(demo: DemoRow, id: PredictionId): Promise<Prediction | undefined> {
    const row = await predictionById(this.parts.db, demo.id, id)
    return row && new QueuedPrediction(this.parts, { ...row, demo: demo.id, id })
  }
}
