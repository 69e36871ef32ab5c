import {
  type DemoId,
  type DemoSchema,
  Gone,
  type Health,
  Invalid,
  type PredictionId,
  validateInput,
} from '@origami/protocol/demo'
import { checkFiles, type Files, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import type { OpenPrediction } from '../store/open-predictions.ts'
import { predictionById } from '../store/predictions.ts'
import { demoStopped } from './admission.ts'
import { Arrivals } from './arrivals.ts'
import { filesOfFields } from './instance/file-transfer.ts'
import type { KnownDemo } from './known-demos.ts'
import type { QueueParts } from './parts.ts'
import { QueuedPrediction } from './queued-prediction.ts'
import { UploadFiles } from './upload-files.ts'

/**
 * The queue of every demo, which is the table of predictions. A prediction is stored before its request is answered.
 */
export class Queue {
  private readonly parts: QueueParts
  private readonly arrivals: Arrivals

  constructor(parts: QueueParts) {
    this.parts = parts
    this.arrivals = new Arrivals(parts)
  }

  /** The demo as a Predictor for a caller at `address`. Undefined: there is no such demo. */
  async predictor(id: DemoId, address?: string): Promise<Predictor | undefined> {
    const demo = await this.parts.demos.find(id)
    if (!demo) return undefined
    return {
      files: this.filesOf(id),
      schema: async () => schemaOf(demo),
      health: () => this.health(id),
      submit: (request) => this.submit(demo, request, address),
      find: (prediction) => this.find(id, prediction),
    }
  }

  /** The predictions of a demo that run, and those that wait, in the order of their places. */
  async openOf(demo: DemoId): Promise<{ running: OpenPrediction[]; waiting: OpenPrediction[] }> {
    const { open, turns } = this.parts
    const rows = await open.of(demo)
    const waiting: OpenPrediction[] = []
    for (const row of rows) {
      const place = row.running ? undefined : turns.placeOf(demo, row.arrival)
      if (place !== undefined) waiting[place - 1] = row
    }
    return { running: rows.filter(({ running }) => running), waiting: waiting.flat() }
  }

  private filesOf(demo: DemoId): Files {
    const { space, uploads } = this.parts
    const files = this.parts.files.of(demo)
    return space ? new UploadFiles({ files, demo, space, uploads }) : files
  }

  private async health(id: DemoId): Promise<Health> {
    const live = (await this.parts.demos.routes()).has(id)
    return { status: live ? 'READY' : 'STARTING', setup: null, version: { origami: '1' } }
  }

  private async submit(
    known: KnownDemo,
    { id, input: submitted, visitor }: PredictionRequest,
    address: string | undefined,
  ): Promise<Prediction> {
    const { files, now } = this.parts
    const { demo } = known
    if (demo.want === 'stopped') {
      const before = await this.find(demo.id, id)
      if (before) return before
      throw demoStopped()
    }
    const schema = schemaOf(known)
    const { input, problems } = validateInput(schema, submitted)
    const wrong = problems.length > 0 ? problems : await checkFiles(schema, input, files.of(demo.id))
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
    const arrival = await this.arrivals.add({ row, files: filesOfFields(schema.inputs, input), input })
    return new QueuedPrediction(this.parts, { arrival, demo: demo.id, id, visitor: visitor ?? null })
  }

  private async find(demo: DemoId, id: PredictionId): Promise<Prediction | undefined> {
    const { db, open } = this.parts
    if (!open.isUpToDate) await open.upToDate()
    const known = open.byId(demo, id) ?? (await predictionById(db, demo, id))
    return known && new QueuedPrediction(this.parts, { arrival: known.arrival, demo, id, visitor: known.visitor })
  }
}

function schemaOf({ schema }: KnownDemo): DemoSchema {
  if (!schema) throw new Gone('This demo has not been live yet.')
  return schema
}
