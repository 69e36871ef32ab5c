import {
  type DemoSchema,
  Full,
  Gone,
  type Health,
  Invalid,
  type PredictionId,
  validateInput,
} from '@origami/protocol/demo'
import { checkFiles, type FolderFiles, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import { CountedFiles, fileRefs } from './counted-files.ts'
import { WorkerDispatcher } from './dispatcher.ts'
import { lengthOf } from './event-log.ts'
import type { Launch } from './launch.ts'
import { Model, type ModelManifest, type ModelName } from './model.ts'
import { Run } from './run.ts'
import { type KeepLimits, RunStore } from './run-store.ts'
import type { Setup } from './worker-process.ts'
import { Workers } from './workers.ts'

export interface ModelOptions {
  /** Makes the command that starts a worker. Called for each worker. */
  readonly launch: () => Launch
  readonly files: FolderFiles
  /** More files of inputs, which are only read. */
  readonly inputs?: FolderFiles | undefined
  readonly manifest?: ModelManifest
  readonly name?: ModelName
  /** How long a model may run after a cancel before its process is killed. */
  readonly cancelGraceMs?: number
  readonly keep?: Partial<KeepLimits>
  /** How many predictions may wait here. More are refused. */
  readonly maxWaiting?: number
  /** See WorkersOptions. */
  readonly backOffMs?: readonly number[]
}

const defaults = { cancelGraceMs: 5000, maxWaiting: 1000, backOffMs: [1000, 2000, 5000, 15_000, 30_000] } as const
const defaultKeep: KeepLimits = {
  keepMs: 30 * 60_000,
  maxEnded: 1000,
  maxEndedBytes: 32 * 1024 ** 2,
  maxBytes: 1024 ** 3,
  leastAgeMs: 60_000,
  unusedFileMs: 60 * 60_000,
}

/**
 * A model in worker processes, as a Predictor. As many predictions run at the same time as its concurrency, and the
 * others wait in order.
 */
export class ModelPredictor implements Predictor, AsyncDisposable {
  readonly files: CountedFiles
  private readonly options: ModelOptions
  private readonly model: Model
  private readonly runs: RunStore
  private readonly dispatcher: WorkerDispatcher
  private workers: Workers
  private replaced: Promise<void>[] = []
  private isEnding = false

  constructor(options: ModelOptions) {
    this.options = options
    this.model = new Model(options.manifest, options.name)
    this.files = new CountedFiles(options.files, options.inputs)
    this.runs = new RunStore(this.files, { ...defaultKeep, ...options.keep })
    this.dispatcher = new WorkerDispatcher({
      model: this.model,
      files: this.files,
      workers: () => this.workers,
      graceMs: options.cancelGraceMs ?? defaults.cancelGraceMs,
      onEnd: (run) => this.runs.end(run),
    })
    this.workers = this.startWorkers()
  }

  async schema(): Promise<DemoSchema> {
    const { schema, failure } = this.model
    if (schema) return schema
    throw new Gone(
      failure === undefined ? 'The model is still being loaded.' : `The model cannot be loaded: ${failure}`,
    )
  }

  async health(): Promise<Health> {
    const { ready, size } = this.workers
    const { hasRoom, keepsAhead } = this.dispatcher
    return this.model.health({ ready, size, hasRoom, ahead: keepsAhead })
  }

  async submit({ id, input: rawInput }: PredictionRequest): Promise<Prediction> {
    const before = this.runs.get(id)
    if (before) return before
    const schema = this.model.schema ?? (await this.schema())
    if (this.model.failure !== undefined) throw new Gone(`The model's setup failed: ${this.model.failure}`)
    const { input, problems } = validateInput(schema, rawInput)
    const wrong = problems.length > 0 || !this.model.hasFiles ? problems : await checkFiles(schema, input, this.files)
    if (wrong.length > 0) throw new Invalid(wrong)
    // A prediction of this id may have arrived while the files were examined.
    return this.runs.get(id) ?? this.begin(id, input, schema)
  }

  async find(id: PredictionId): Promise<Prediction | undefined> {
    return this.runs.get(id)
  }

  /**
   * Loads the model again after its file changed. Running predictions are interrupted, and waiting ones go on waiting.
   */
  reload(manifest?: ModelManifest): void {
    this.workers.kill('the model was loaded anew')
    this.replaced.push(this.workers[Symbol.asyncDispose]())
    this.model.reload(manifest)
    this.workers = this.startWorkers()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isEnding = true
    this.dispatcher.stop()
    await Promise.all([this.workers[Symbol.asyncDispose](), ...this.replaced])
    await this.dispatcher.ended()
    this.runs[Symbol.dispose]()
  }

  private begin(id: PredictionId, input: Record<string, unknown>, schema: DemoSchema): Run {
    if (this.isEnding) throw new Gone('The runtime is being stopped.')
    const { waiting } = this.dispatcher
    if (waiting >= (this.options.maxWaiting ?? defaults.maxWaiting))
      throw new Full(`${waiting} predictions wait already`, 10)
    if (!this.runs.hasRoom(lengthOf(input)))
      throw new Full('Other predictions, and results that nobody has fetched yet, fill the room there is.', 30)
    const run = new Run(id, input, schema, (canceled) => this.dispatcher.cancel(canceled))
    this.runs.add(run)
    for (const ref of fileRefs(input)) this.files.use(ref, id)
    this.dispatcher.join(run)
    return run
  }

  private startWorkers(): Workers {
    return new Workers({
      launch: this.options.launch,
      backOffMs: this.options.backOffMs ?? defaults.backOffMs,
      setupMs: this.model.setupMs,
      onSchema: (schema) => this.model.describe(schema),
      onSetup: (setup) => this.setUp(setup),
      onFree: () => this.dispatcher.next(),
    })
  }

  private setUp(setup: Setup): void {
    const isDecisive = this.model.setUp(setup)
    if (setup.status === 'failed') {
      if (isDecisive) this.dispatcher.failWaiting(`The model's setup failed: ${setup.error}`)
      else console.error(`a worker could not be started and is tried again: ${setup.error}`)
    } else if (isDecisive) {
      // One process loads the model first, which shows whether it can be loaded at all. Then the others start.
      this.workers.grow(Math.ceil(this.model.concurrency / setup.slots))
    }
  }
}
