import {
  type DemoSchema,
  Full,
  Gone,
  type Health,
  Invalid,
  type Manifest,
  type PredictionId,
  validateInput,
} from '@origami/protocol/demo'
import { checkFiles, type FolderFiles, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import type { DescribedDemo } from '../wire/messages.ts'
import { Call } from './call.ts'
import { CountedFiles, refsIn } from './counted-files.ts'
import { lengthOf } from './event-log.ts'
import { type KeepLimits, KeptRuns } from './kept-runs.ts'
import type { Launch } from './launch.ts'
import { Run } from './run.ts'
import { titleOf } from './title.ts'
import { WaitingLine } from './waiting-line.ts'
import type { Setup } from './worker-process.ts'
import { Workers } from './workers.ts'

/** What `.origami` says of how a model runs. */
export type ModelManifest = Partial<Pick<Manifest, 'title' | 'description' | 'concurrency' | 'timeout' | 'ready_within'>>

export interface ModelOptions {
  /** How a worker is started; asked anew each time. */
  readonly launch: () => Launch
  readonly files: FolderFiles
  readonly manifest?: ModelManifest
  /** Where neither `.origami` nor the model says what the demo is called. */
  readonly name?: { readonly given?: string | undefined; readonly folder: string }
  /** How long a model may go on after a cancel before its process is killed. */
  readonly cancelGraceMs?: number
  readonly keep?: Partial<KeepLimits>
  /** Predictions waiting here; more are refused. */
  readonly maxWaiting?: number
  /** See WorkersOptions. */
  readonly backOffMs?: readonly number[]
}

const defaultBackOffMs = [1000, 2000, 5000, 15_000, 30_000]
const defaultKeep: KeepLimits = {
  keepMs: 30 * 60_000,
  maxKept: 1000,
  maxBytes: 1024 ** 3,
  leastAgeMs: 60_000,
  unusedFileMs: 60 * 60_000,
}

type SetupState = { readonly startedAt: Date; readonly completedAt?: Date; readonly result?: Setup }

/** A model in worker processes, as a Predictor: as many at a time as its concurrency, the rest waits in order. */
export class ModelPredictor implements Predictor, AsyncDisposable {
  readonly files: CountedFiles
  private readonly options: ModelOptions
  private readonly runs: KeptRuns
  private readonly line = new WaitingLine()
  private readonly calls = new Map<Run, { call: Call; performed: Promise<void> }>()
  private manifest: ModelManifest
  private described: DemoSchema | undefined
  private setup: SetupState
  private workers: Workers
  private replaced: Promise<void>[] = []
  private isEnding = false

  constructor(options: ModelOptions) {
    this.options = options
    this.manifest = options.manifest ?? {}
    this.files = new CountedFiles(options.files)
    this.runs = new KeptRuns(this.files, { ...defaultKeep, ...options.keep })
    this.setup = { startedAt: new Date() }
    this.workers = this.startWorkers()
  }

  async schema(): Promise<DemoSchema> {
    if (this.described) return this.described
    const { result } = this.setup
    throw new Gone(
      result?.status === 'failed' ? `The model cannot be loaded: ${result.error}` : 'The model is still being loaded.',
    )
  }

  /** STARTING until a worker serves, and again while none is left; SETUP_FAILED while none did and the first could not. */
  async health(): Promise<Health> {
    const { startedAt, completedAt, result } = this.setup
    return {
      status: this.status(),
      setup: {
        started_at: startedAt.toISOString(),
        completed_at: completedAt?.toISOString() ?? null,
        status: result?.status ?? 'starting',
        logs: result?.logs ?? '',
      },
      workers: { ready: this.workers.ready, of: this.workers.size },
      version: { origami: '1', node: process.versions.node },
    }
  }

  async submit({ id, input: given }: PredictionRequest): Promise<Prediction> {
    const before = this.runs.get(id)
    if (before) return before
    const schema = await this.schema()
    if (this.setup.result?.status === 'failed') throw new Gone(`The model's setup failed: ${this.setup.result.error}`)
    const { input, problems } = validateInput(schema, given)
    const wrong = problems.length > 0 ? problems : await checkFiles(schema, input, this.files)
    if (wrong.length > 0) throw new Invalid(wrong)
    const joined = this.runs.get(id)
    if (joined) return joined
    if (this.isEnding) throw new Gone('The runtime is being stopped.')
    if (this.line.length >= (this.options.maxWaiting ?? 1000)) throw new Full(`${this.line.length} predictions wait already`, 10)
    if (!this.runs.hasRoom(lengthOf(input)))
      throw new Full('Other predictions, and results that nobody has fetched yet, fill the room there is.', 30)
    const run = new Run(id, input, schema, (cancelled) => this.cancel(cancelled))
    this.runs.add(run)
    for (const ref of refsIn(input)) this.files.use(ref, id)
    this.line.join(run)
    this.next()
    return run
  }

  async find(id: PredictionId): Promise<Prediction | undefined> {
    return this.runs.get(id)
  }

  /** Loads the model anew, for when its file changed. What runs is interrupted; what waits goes on waiting. */
  reload(manifest: ModelManifest = this.manifest): void {
    this.workers.kill('the model was loaded anew')
    this.replaced.push(this.workers[Symbol.asyncDispose]())
    this.manifest = manifest
    this.setup = { startedAt: new Date() }
    this.workers = this.startWorkers()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isEnding = true
    for (const { call } of this.calls.values()) call.stop('shutdown')
    await Promise.all([this.workers[Symbol.asyncDispose](), ...this.replaced])
    await Promise.all([...this.calls.values()].map(({ performed }) => performed))
    this.runs[Symbol.dispose]()
  }

  private status(): Health['status'] {
    const { result } = this.setup
    if (result?.status === 'failed') return 'SETUP_FAILED'
    if (result === undefined || this.workers.ready === 0) return 'STARTING'
    return this.calls.size >= this.concurrency || !this.workers.free() ? 'BUSY' : 'READY'
  }

  private get concurrency(): number {
    return this.described?.concurrency ?? 1
  }

  private startWorkers(): Workers {
    return new Workers({
      launch: this.options.launch,
      backOffMs: this.options.backOffMs ?? defaultBackOffMs,
      setupMs: (this.manifest.ready_within ?? 120) * 1000,
      onSchema: (schema) => this.describe(schema),
      onSetup: (setup) => this.prepared(setup),
      onFree: () => this.next(),
    })
  }

  private describe(schema: DescribedDemo): void {
    const { title, description, concurrency } = this.manifest
    this.described = {
      ...schema,
      title: titleOf({ manifest: title, model: schema.title, folder: '', ...this.options.name }),
      ...(description === undefined ? {} : { description }),
      ...(concurrency === undefined ? {} : { concurrency }),
    }
  }

  /** The first setup decides what the demo is said to be until one succeeds; a later one takes nothing from the others. */
  private prepared(result: Setup): void {
    if (this.setup.result?.status === 'succeeded') {
      if (result.status === 'failed') console.error(`a worker could not be started and is tried again: ${result.error}`)
      return
    }
    this.setup = { ...this.setup, completedAt: new Date(), result }
    if (result.status === 'succeeded') {
      // One process loads the model before several do: it shows whether it can be loaded at all.
      this.workers.grow(Math.ceil(this.concurrency / result.slots))
      return
    }
    for (const run of this.line.takeAll()) {
      run.fail('crashed', `The model's setup failed: ${result.error}`)
      this.runs.end(run)
    }
  }

  private next(): void {
    while (!this.isEnding && this.described && this.calls.size < this.concurrency) {
      const worker = this.workers.free()
      const run = worker && this.line.take()
      if (!worker || !run) return
      const call = new Call(run, worker, {
        schema: this.described,
        files: this.files,
        timeoutMs: (this.manifest.timeout ?? 600) * 1000,
        graceMs: this.options.cancelGraceMs ?? 5000,
      })
      this.calls.set(run, { call, performed: this.perform(call) })
    }
  }

  /** Never rejects. */
  private async perform(call: Call): Promise<void> {
    const ended = await call.perform()
    this.calls.delete(call.run)
    if (ended === 'ended') this.runs.end(call.run)
    else this.line.joinInFront(call.run)
    this.next()
  }

  private cancel(run: Run): void {
    if (this.line.leave(run)) {
      run.canceled()
      this.runs.end(run)
    } else this.calls.get(run)?.call.stop('cancel')
  }
}
