import { setTimeout } from 'node:timers/promises'
import {
  type DemoSchema,
  type FailureReason,
  Full,
  Gone,
  Invalid,
  isFileComponent,
  outputFields,
  type PredictionSnapshot,
  parseFileRef,
  validateInput,
} from '@origami/protocol/demo'
import type { HttpPredictor, Prediction } from '@origami/serving'
import { demoById } from '../store/demos.ts'
import { changePrediction } from '../store/predictions.ts'
import type { PredictionRow } from '../store/tables.ts'
import type { LiveRun } from './live-runs.ts'
import type { DispatcherParts } from './parts.ts'

/** An instance that refused or is gone is soon seen to be; until then it is not asked in a tight circle. */
const beforeNextTryMs = 250

/** One prediction at one instance, from the files it needs to its stored end. */
export class Run {
  private readonly parts: DispatcherParts
  private readonly row: PredictionRow
  private readonly signal: AbortSignal
  private readonly live: LiveRun

  constructor(parts: DispatcherParts, row: PredictionRow, signal: AbortSignal) {
    this.parts = parts
    this.row = row
    this.signal = signal
    this.live = parts.live.open(row.arrival)
  }

  /** Sends it. If nobody took it, it waits again; once it was taken it is never sent a second time. */
  async start(endpoint: string, schema: DemoSchema): Promise<void> {
    const input = withoutUnset(schema, JSON.parse(this.row.input))
    const { problems } = validateInput(schema, input)
    if (problems.length > 0) return this.fail('invalid', `The demo changed while this waited: ${new Invalid(problems).message}`)
    const instance = this.parts.reach(endpoint)
    let taken: Prediction
    try {
      await this.bring(instance, schema, input)
      taken = await instance.submit({ id: this.row.id, input })
    } catch (error) {
      if (error instanceof Invalid) return this.fail('invalid', error.message)
      if (error instanceof Gone || error instanceof Full) return this.waitAgain()
      throw error
    }
    await this.follow(instance, taken, schema)
  }

  /** Finds it again at the instance that had it. */
  async join(endpoint: string, schema: DemoSchema): Promise<void> {
    const instance = this.parts.reach(endpoint)
    const taken = await instance.find(this.row.id).catch((error: unknown) => {
      if (error instanceof Gone) return undefined
      throw error
    })
    await (taken ? this.follow(instance, taken, schema) : this.interrupted())
  }

  /** The instance went away while it ran. */
  async interrupted(): Promise<void> {
    if (this.signal.aborted) return
    const stopped = (await demoById(this.parts.db, this.row.demo_id))?.want === 'stopped'
    await (stopped
      ? this.fail('stopped', 'The demo was stopped by its owner while this ran.')
      : this.fail('interrupted', 'The demo went away while this ran. It was not run again; run it again if you like.'))
  }

  /** Something that nobody foresaw: it ends here, and says so. */
  async broke(error: unknown): Promise<void> {
    if (this.signal.aborted) return
    console.error(`prediction ${this.row.id} broke off`, error)
    await this.fail('interrupted', 'Something went wrong between the queue and the demo; run it again.')
  }

  private async follow(instance: HttpPredictor, taken: Prediction, schema: DemoSchema): Promise<void> {
    this.live.cancel = () => taken.cancel()
    try {
      for await (const event of taken.events(0, this.signal)) {
        if (!('seq' in event)) continue
        if (event.type === 'completed') return await this.complete(instance, schema, event.data, event.seq)
        this.live.add(event)
      }
    } catch (error) {
      if (!(error instanceof Gone)) throw error
    }
    await this.interrupted()
  }

  /** Pulls result files before it says that it succeeded. */
  private async complete(instance: HttpPredictor, schema: DemoSchema, end: PredictionSnapshot, seq: number): Promise<void> {
    if (end.status === 'succeeded') await this.fetchResults(instance, schema, end.output)
    const { db, now } = this.parts
    await db.transaction().execute(async (trx) => {
      const stored = await changePrediction(trx, this.row.arrival, 'processing', {
        status: end.status,
        output: end.output === null || end.output === undefined ? null : JSON.stringify(end.output),
        error: end.error,
        reason: end.reason,
        logs: end.logs,
        predict_time: end.metrics.predict_time ?? null,
        started_at: end.started_at ?? this.row.started_at,
        completed_at: now(),
        last_seq: seq,
      })
      if (!stored) return
      await trx
        .updateTable('demos')
        .set((eb) => ({ runs: eb('runs', '+', 1) }))
        .where('id', '=', this.row.demo_id)
        .execute()
    })
  }

  private async bring(instance: HttpPredictor, schema: DemoSchema, input: Record<string, unknown>): Promise<void> {
    for (const field of schema.inputs.filter(({ component }) => isFileComponent(component))) {
      const parts = parseFileRef(String(input[field.name]))
      const file = parts && (await this.parts.files.open(parts.ref))
      if (parts && file) await instance.files.put(parts.id, parts.name, file.type, file.bytes())
    }
  }

  private async fetchResults(instance: HttpPredictor, schema: DemoSchema, output: unknown): Promise<void> {
    const values = outputFields(schema, output)
    for (const field of schema.outputs.filter(({ component }) => isFileComponent(component))) {
      const parts = parseFileRef(String(values[field.name]))
      const file = parts && (await instance.files.open(parts.ref))
      if (parts && file) await this.parts.files.put(parts.id, parts.name, file.type, file.bytes())
    }
  }

  private async waitAgain(): Promise<void> {
    await setTimeout(beforeNextTryMs, undefined, { signal: this.signal }).catch(() => undefined)
    await changePrediction(this.parts.db, this.row.arrival, 'processing', {
      status: 'starting',
      started_at: null,
      deployment: null,
    })
  }

  private async fail(reason: FailureReason, error: string): Promise<void> {
    const last_seq = (this.live.events.at(-1)?.seq ?? 0) + 1
    const end = { status: 'failed' as const, reason, error, logs: this.live.logs, completed_at: this.parts.now(), last_seq }
    await changePrediction(this.parts.db, this.row.arrival, 'processing', end)
  }
}

/** What was left empty when it was sent does no harm where a newer version no longer asks for it. */
function withoutUnset(schema: DemoSchema, input: Record<string, unknown>): Record<string, unknown> {
  const known = new Set(schema.inputs.map(({ name }) => name))
  return Object.fromEntries(Object.entries(input).filter(([name, value]) => value !== null || known.has(name)))
}
