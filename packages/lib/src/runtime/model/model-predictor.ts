import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import {
  componentOf,
  type DemoSchema,
  type FileRef,
  Full,
  Gone,
  type Health,
  Invalid,
  isFileComponent,
  isTerminal,
  type Manifest,
  type PredictionId,
  parseFileRef,
  validateInput,
  valueProblem,
} from '@origami/protocol/demo'
import { checkFiles, type FolderFiles, type Prediction, type PredictionRequest, type Predictor } from '@origami/serving'
import type { FileOnWire } from '../wire/messages.ts'
import type { Launch } from './launch.ts'
import { Run } from './run.ts'
import { type CallEnd, type Setup, WorkerProcess } from './worker-process.ts'

export interface ModelOptions {
  /** How a worker is started; asked anew each time. */
  readonly launch: () => Launch
  readonly files: FolderFiles
  /** What `.origami` says in place of the model. */
  readonly manifest?: Partial<Pick<Manifest, 'title' | 'description' | 'concurrency'>>
  /** How long a model may go on after a cancel before it is killed. */
  readonly cancelGraceMs?: number
  /** How long a prediction is kept after its end. */
  readonly keepMs?: number
  /** Predictions waiting here; more are refused. */
  readonly maxWaiting?: number
}

const backOffMs = [0, 1000, 2000, 5000, 15_000, 30_000]

/** A model in worker processes, as a Predictor: as many at a time as its concurrency, the rest waits in order. */
export class ModelPredictor implements Predictor, AsyncDisposable {
  readonly files: FolderFiles
  private readonly options: ModelOptions
  private readonly runs = new Map<PredictionId, Run>()
  private readonly waiting: Run[] = []
  private workers = new Set<WorkerProcess>()
  private readonly idle: WorkerProcess[] = []
  private readonly holding = new Map<Run, WorkerProcess>()
  private described: DemoSchema | undefined
  private setup: { startedAt: Date; completedAt?: Date; result?: Setup }
  private failures = 0
  private generation = 0
  private disposed = false

  constructor(options: ModelOptions) {
    this.options = options
    this.files = options.files
    this.setup = { startedAt: new Date() }
    this.startWorker()
  }

  async schema(): Promise<DemoSchema> {
    if (this.described) return this.described
    throw new Gone(
      this.setup.result?.status === 'failed'
        ? `The model cannot be loaded: ${this.setup.result.error}`
        : 'The model is still being loaded.',
    )
  }

  async health(): Promise<Health> {
    const { startedAt, completedAt, result } = this.setup
    const busy = this.holding.size >= (this.described?.concurrency ?? 1)
    return {
      status: result === undefined ? 'STARTING' : result.status === 'failed' ? 'SETUP_FAILED' : busy ? 'BUSY' : 'READY',
      setup: {
        started_at: startedAt.toISOString(),
        completed_at: completedAt?.toISOString() ?? null,
        status: result?.status ?? 'starting',
        logs: result?.logs ?? '',
      },
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
    if (this.waiting.length >= (this.options.maxWaiting ?? 1000))
      throw new Full(`${this.waiting.length} predictions wait already`, 10)
    const run = new Run(id, input, schema, (cancelled) => this.cancel(cancelled))
    this.runs.set(id, run)
    this.waiting.push(run)
    this.next()
    return run
  }

  async find(id: PredictionId): Promise<Prediction | undefined> {
    return this.runs.get(id)
  }

  /** Loads the model anew, for when its file changed. What runs is interrupted; what waits goes on waiting. */
  reload(): void {
    const old = [...this.workers]
    this.generation += 1
    this.failures = 0
    this.workers = new Set()
    this.idle.length = 0
    for (const worker of old) worker.kill()
    this.setup = { startedAt: new Date() }
    this.startWorker()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true
    await Promise.all([...this.workers].map((worker) => worker[Symbol.asyncDispose]()))
  }

  private startWorker(): void {
    if (this.disposed) return
    const { generation } = this
    let worker: WorkerProcess
    try {
      worker = new WorkerProcess(this.options.launch())
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.prepared({ status: 'failed', error: message, logs: message })
      return
    }
    this.workers.add(worker)
    void this.follow(worker, generation)
  }

  private async follow(worker: WorkerProcess, generation: number): Promise<void> {
    worker.schema.then((schema) => generation === this.generation && this.describe(schema)).catch(() => undefined)
    const setup = await worker.setup
    if (generation !== this.generation) return
    this.prepared(setup)
    if (setup.status === 'succeeded') {
      this.failures = 0
      this.idle.push(worker)
      this.fill()
      this.next()
    }
    await worker.exited
    this.workers.delete(worker)
    const at = this.idle.indexOf(worker)
    if (at >= 0) this.idle.splice(at, 1)
    if (generation !== this.generation || this.disposed || setup.status === 'failed') return
    this.again()
  }

  /** A worker that died is started again, each time a little later while it goes on dying. */
  private again(): void {
    const delay = backOffMs[Math.min(this.failures, backOffMs.length - 1)] ?? 0
    this.failures += 1
    setTimeout(() => this.startWorker(), delay).unref()
  }

  private describe(schema: DemoSchema): void {
    const { title, description, concurrency } = this.options.manifest ?? {}
    this.described = {
      ...schema,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(concurrency === undefined ? {} : { concurrency }),
    }
  }

  private prepared(result: Setup): void {
    this.setup = { ...this.setup, completedAt: new Date(), result }
    if (result.status === 'succeeded') return
    for (const run of this.waiting.splice(0)) run.fail('crashed', `The model's setup failed: ${result.error}`)
  }

  /** As many workers as predictions may run at a time, once the first has shown that the model loads. */
  private fill(): void {
    while (this.workers.size < (this.described?.concurrency ?? 1)) this.startWorker()
  }

  private next(): void {
    while (this.idle.length > 0 && this.waiting.length > 0) {
      const [worker, run] = [this.idle.shift(), this.waiting.shift()]
      if (worker && run) void this.run(worker, run)
    }
    for (const [index, run] of this.waiting.entries()) run.wait(index + 1)
  }

  private async run(worker: WorkerProcess, run: Run): Promise<void> {
    const outbox = await mkdtemp(join(tmpdir(), 'origami-out-'))
    this.holding.set(run, worker)
    try {
      run.start()
      const schema = await this.schema()
      const taking: Promise<void>[] = []
      const end = await worker.predict(run.id, await this.inputOf(schema, run), outbox, {
        onText: (source, text) => run.print(source, text),
        onPart: (message) => {
          if (message.type === 'progress') run.progress(message.done, message.total, message.note)
          else taking.push(this.part(schema, run, message))
        },
      })
      await Promise.all(taking)
      await this.complete(schema, run, end)
    } catch (error) {
      run.fail('error', error instanceof Error ? error.message : String(error))
    } finally {
      this.holding.delete(run)
      if (this.workers.has(worker)) this.idle.push(worker)
      setTimeout(() => this.runs.delete(run.id), this.options.keepMs ?? 30 * 60_000).unref()
      await rm(outbox, { recursive: true, force: true })
      this.next()
    }
  }

  private async complete(schema: DemoSchema, run: Run, end: CallEnd): Promise<void> {
    if (end.type === 'canceled') return run.canceled()
    if (end.type === 'failed') return run.fail('error', end.error)
    if (end.type === 'crashed') return this.crashed(run, end.error)
    const output: Record<string, unknown> = {}
    for (const field of schema.outputs) {
      const value = await this.outputOf(schema, field.name, end.output[field.name] ?? null)
      const problem = value === null ? undefined : valueProblem(field, value)
      if (problem) return run.fail('error', `The model gave a wrong output: ${problem.field}: ${problem.message}`)
      output[field.name] = value
    }
    run.succeed(output)
  }

  private crashed(run: Run, error: string): void {
    if (this.cancelling.has(run)) run.canceled()
    else run.fail('crashed', `The model's process died: ${error}`)
  }

  private readonly cancelling = new Set<Run>()

  private cancel(run: Run): void {
    const at = this.waiting.indexOf(run)
    if (at >= 0) {
      this.waiting.splice(at, 1)
      run.canceled()
      this.next()
      return
    }
    const worker = this.holding.get(run)
    if (!worker || this.cancelling.has(run)) return
    this.cancelling.add(run)
    worker.cancel(run.id)
    setTimeout(() => {
      this.cancelling.delete(run)
      if (isTerminal(run.status)) return
      this.cancelling.add(run)
      worker.kill()
    }, this.options.cancelGraceMs ?? 5000).unref()
  }

  private async part(
    schema: DemoSchema,
    run: Run,
    { field, mode, chunk }: { field: string; mode: 'append' | 'replace'; chunk: unknown },
  ): Promise<void> {
    run.part(field, mode, isFileValue(chunk) ? await this.outputOf(schema, field, chunk) : chunk)
  }

  /** Files as the worker wants them: where they are on disk. */
  private async inputOf(schema: DemoSchema, run: Run): Promise<Record<string, unknown>> {
    const input = { ...run.input }
    for (const { name, component } of schema.inputs) {
      const ref = isFileComponent(component) ? parseFileRef(String(input[name]))?.ref : undefined
      const file = ref && (await this.files.open(ref))
      if (ref && file) input[name] = { path: this.files.path(ref), name: file.name, type: file.type }
      else if (componentOf(component).file && input[name] !== null) throw new Error(`the file of ${name} is gone`)
    }
    return input
  }

  /** Takes a file that the model wrote into those that callers can fetch. */
  private async outputOf(schema: DemoSchema, name: string, value: unknown): Promise<unknown> {
    const field = schema.outputs.find((output) => output.name === name)
    if (!field || !isFileComponent(field.component) || !isFileValue(value)) return value
    const id = crypto.randomUUID().replaceAll('-', '')
    return this.files.put(
      id,
      basename(value.name ?? value.path),
      value.type,
      createReadStream(value.path),
    ) satisfies Promise<FileRef>
  }
}

const isFileValue = (value: unknown): value is FileOnWire => typeof value === 'object' && value !== null && 'path' in value
