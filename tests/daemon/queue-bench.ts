import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Notice } from '@origami/host/notices'
import {
  type DemoId,
  type DemoSchema,
  type DeploymentId,
  Gone,
  isTerminal,
  type PredictionEvent,
  type PredictionId,
  type PredictionSnapshot,
  randomId,
  type VisitorId,
} from '@origami/protocol/demo'
import {
  FolderFiles,
  HttpPredictor,
  type Prediction,
  type PredictionRequest,
  type Predictor,
  predictionsApi,
} from '@origami/serving'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { expect, vi } from 'vitest'
import { Changes } from '../../packages/daemon/src/changes.ts'
import { defaultLimits, type Limits } from '../../packages/daemon/src/config.ts'
import { Dispatcher } from '../../packages/daemon/src/predictions/dispatcher.ts'
import { LiveRuns } from '../../packages/daemon/src/predictions/live-runs.ts'
import type { DispatcherParts } from '../../packages/daemon/src/predictions/parts.ts'
import { Places } from '../../packages/daemon/src/predictions/places.ts'
import { Queue } from '../../packages/daemon/src/predictions/queue.ts'
import { type Db, openStore } from '../../packages/daemon/src/store/open.ts'
import { predictionById } from '../../packages/daemon/src/store/predictions.ts'

const fileSchema = {
  api: 1,
  title: 'Files',
  description: '',
  inputs: [
    { name: 'word', label: 'word', component: 'text', options: {}, required: true },
    { name: 'file', label: 'file', component: 'file', options: {}, required: false, default: null },
  ],
  outputs: [
    { name: 'said', label: 'said', component: 'text', options: {}, required: true },
    { name: 'made', label: 'made', component: 'file', options: {}, required: false },
  ],
  examples: [],
  streaming: true,
  concurrency: 1,
} satisfies DemoSchema

/** The queue of a daemon over a real store, with instances that a test decides over. Leaving and starting again is a restart of the daemon. */
export class QueueBench implements AsyncDisposable {
  readonly folder: string
  readonly limits: Limits
  readonly changed = new Changes()
  readonly lookedAt: DeploymentId[] = []
  db: Db
  queue: Queue
  files: FolderFiles
  private parts: DispatcherParts
  private leaving = new AbortController()
  private working: Promise<void> = Promise.resolve()
  private readonly instances: AsyncDisposable[] = []

  private constructor(folder: string, db: Db, limits: Partial<Limits>) {
    this.folder = folder
    this.db = db
    this.limits = { ...defaultLimits, retryMs: [20, 40], ...limits }
    this.files = new FolderFiles(join(folder, 'files'), { maxFileBytes: () => this.limits.fileBytes })
    this.parts = this.makeParts()
    this.queue = new Queue(this.parts)
  }

  static async open(limits: Partial<Limits> = {}): Promise<QueueBench> {
    const folder = await mkdtemp(join(tmpdir(), 'origami-queue-'))
    const bench = new QueueBench(folder, await openStore(folder), limits)
    bench.work()
    return bench
  }

  private makeParts(): DispatcherParts {
    return {
      db: this.db,
      files: this.files,
      limits: this.limits,
      now: () => new Date().toISOString(),
      changed: this.changed,
      live: new LiveRuns(this.limits),
      places: new Places(this.db, this.changed),
      reach: (base) => new HttpPredictor({ base, deadlines: () => ({ answerMs: 1000, idleMs: 60_000 }) }),
      lookAt: (deployment) => void this.lookedAt.push(deployment),
    }
  }

  private work(): void {
    this.leaving = new AbortController()
    this.working = new Dispatcher(this.parts, this.leaving.signal).work()
  }

  async leave(): Promise<void> {
    this.leaving.abort()
    await this.working
    await this.db.destroy()
  }

  async start(): Promise<void> {
    this.db = await openStore(this.folder)
    this.parts = this.makeParts()
    this.queue = new Queue(this.parts)
    this.work()
  }

  /** A demo that is served by this instance. */
  async demo(instance: Pick<Instance, 'endpoint'>, manifest: object = {}, schema: DemoSchema = fileSchema): Promise<DemoId> {
    const demo = randomId() as DemoId
    const now = new Date().toISOString()
    await this.db
      .insertInto('demos')
      .values({ id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x', want: 'on', created_at: now })
      .execute()
    await this.serve(demo, instance, manifest, schema)
    return demo
  }

  /** From here on the demo is served by this instance. */
  async serve(demo: DemoId, { endpoint }: Pick<Instance, 'endpoint'>, manifest: object = {}, schema: DemoSchema = fileSchema) {
    const [deployment, now] = [randomId() as DeploymentId, new Date().toISOString()]
    const times = { created_at: now, updated_at: now }
    await this.db
      .insertInto('deployments')
      .values({
        id: deployment,
        demo_id: demo,
        state: 'running',
        endpoint,
        schema: JSON.stringify(schema),
        manifest: JSON.stringify({ ready_within: 120, ...manifest }),
        ...times,
      })
      .execute()
    await this.db.updateTable('demos').set({ serving: deployment }).where('id', '=', demo).execute()
    this.changed.notify(demo)
    return deployment
  }

  async instance(): Promise<Instance> {
    const instance = await Instance.start(await mkdtemp(join(this.folder, 'instance-')))
    this.instances.push(instance)
    return instance
  }

  async predictor(demo: DemoId): Promise<Predictor> {
    const found = await this.queue.predictor(demo)
    if (!found) throw new Error('no such demo')
    return found
  }

  async submit(demo: DemoId, input: object = {}, visitor = randomId()): Promise<Prediction> {
    const predictor = await this.predictor(demo)
    const request = { id: randomId() as PredictionId, input: { word: 'x', ...input }, visitor: visitor as VisitorId }
    return predictor.submit(request)
  }

  /** A file that a visitor brought. */
  async upload(bytes = 'bytes'): Promise<string> {
    return this.files.put(randomId(), 'a.txt', 'text/plain', text(bytes))
  }

  async row(demo: DemoId, { id }: Pick<Prediction, 'id'>) {
    return predictionById(this.db, demo, id)
  }

  /** The prediction once it ended. */
  async ended(demo: DemoId, { id }: Pick<Prediction, 'id'>): Promise<PredictionSnapshot> {
    return vi.waitFor(
      async () => {
        const snapshot = await (await (await this.predictor(demo)).find(id))?.snapshot()
        expect(snapshot && isTerminal(snapshot.status), snapshot?.status).toBe(true)
        return snapshot as PredictionSnapshot
      },
      { interval: 20 },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
    for (const instance of this.instances) await instance[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export async function* text(bytes: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(bytes)
}

/** What an instance does with what it is asked; a test changes it as it goes. */
interface Behaviour {
  /** Refuses predictions with 503. */
  refuses: boolean
  /** Answers predictions with 500. */
  breaks: boolean
  /** Takes bytes of a file and never answers. */
  stallsFiles: boolean
  /** Takes a prediction and never answers that it did. */
  stallsSubmit: boolean
  /** Never gives the bytes of a result. */
  stallsResults: boolean
  /** Ends what it is told to cancel. */
  obeys: boolean
}

/** An instance over real HTTP that runs nothing: predictions end when the test says so. */
export class Instance implements AsyncDisposable, Predictor {
  readonly behaviour: Behaviour = {
    refuses: false,
    breaks: false,
    stallsFiles: false,
    stallsSubmit: false,
    stallsResults: false,
    obeys: true,
  }
  readonly files: FolderFiles
  /** What it was asked, in order: `put`, `submit <word>`, `cancel <word>`, `open`. */
  readonly asked: string[] = []
  readonly runs = new Map<PredictionId, ScriptedRun>()
  /** Answers in its stead, or returns undefined. */
  instead: ((request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined) | undefined
  endpoint = ''
  private readonly app: FastifyInstance = Fastify({ forceCloseConnections: true })

  private constructor(folder: string) {
    this.files = new FolderFiles(folder, { maxFileBytes: () => 10 * 1024 ** 2 })
  }

  static async start(folder: string): Promise<Instance> {
    const instance = new Instance(folder)
    const { files } = instance
    const watched: Predictor = {
      schema: () => instance.schema(),
      health: () => instance.health(),
      submit: (request) => instance.submit(request),
      find: (id) => instance.find(id),
      files: {
        put: async (id, name, type, bytes) => {
          instance.asked.push('put')
          await instance.stall('stallsFiles')
          return files.put(id, name, type, bytes)
        },
        open: async (ref) => {
          instance.asked.push('open')
          await instance.stall('stallsResults')
          return files.open(ref)
        },
      },
    }
    instance.app.addHook('onRequest', async (request, reply) => instance.instead?.(request, reply))
    await instance.app.register(predictionsApi, {
      predictor: async () => watched,
      maxFileBytes: () => 10 * 1024 ** 2,
      remoteFiles: false,
    })
    instance.endpoint = await instance.app.listen({ host: '127.0.0.1', port: 0 })
    return instance
  }

  async schema() {
    return fileSchema
  }

  async health() {
    return { status: 'READY' as const, setup: null, version: {} }
  }

  async submit({ id, input }: PredictionRequest): Promise<Prediction> {
    this.asked.push(`submit ${input.word}`)
    if (this.behaviour.breaks) throw new Error('no space left on device')
    if (this.behaviour.refuses) throw new Gone('not now')
    const run = this.runs.get(id) ?? new ScriptedRun(this, id, input)
    this.runs.set(id, run)
    await this.stall('stallsSubmit')
    return run
  }

  async find(id: PredictionId): Promise<Prediction | undefined> {
    return this.runs.get(id)
  }

  /** The run of a prediction, once it is here. */
  async run({ id }: Pick<Prediction, 'id'>): Promise<ScriptedRun> {
    return vi.waitFor(
      () => {
        const run = this.runs.get(id)
        expect(run).toBeDefined()
        return run as ScriptedRun
      },
      { interval: 10 },
    )
  }

  /** How often it was asked something. */
  times(what: string): number {
    return this.asked.filter((asked) => asked === what).length
  }

  private readonly freed = new Notice()

  /** Changes what it does; who was held goes on. */
  behave(change: Partial<Behaviour>): void {
    Object.assign(this.behaviour, change)
    this.freed.notify()
  }

  private async stall(what: keyof Behaviour): Promise<void> {
    while (this.behaviour[what]) await this.freed.next()
  }

  /** Goes away, as a process does that is killed. */
  async kill(): Promise<void> {
    this.app.server.closeAllConnections()
    await this.app.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.behave({ stallsFiles: false, stallsSubmit: false, stallsResults: false })
    await this.kill()
  }
}

export class ScriptedRun implements Prediction {
  readonly id: PredictionId
  readonly input: Record<string, unknown>
  canceled = false
  private readonly instance: Instance
  private readonly events_: Exclude<PredictionEvent, { type: 'queue' }>[] = []
  private readonly changed = new Notice()

  constructor(instance: Instance, id: PredictionId, input: Record<string, unknown>) {
    this.instance = instance
    this.id = id
    this.input = input
    this.tell({ type: 'start', data: { id, status: 'processing' } })
  }

  tell(event: Record<string, unknown>): void {
    this.events_.push({ ...event, seq: this.events_.length + 1 } as never)
    this.changed.notify()
  }

  end(given: Partial<PredictionSnapshot> = {}): void {
    this.tell({ type: 'completed', data: { ...this.now(), status: 'succeeded', output: { said: 'done', made: null }, ...given } })
  }

  async snapshot(): Promise<PredictionSnapshot> {
    const last = this.events_.at(-1)
    return last?.type === 'completed' ? last.data : this.now()
  }

  async *events(after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    for (let index = after; !signal?.aborted; ) {
      const change = this.changed.next(signal)
      const event = this.events_[index]
      if (!event) await change
      else {
        index += 1
        yield event
        if (event.type === 'completed') return
      }
    }
  }

  async cancel(): Promise<boolean> {
    this.instance.asked.push(`cancel ${this.input.word}`)
    this.canceled = true
    if (this.instance.behaviour.obeys) this.end({ status: 'canceled', output: null })
    return true
  }

  private now(): PredictionSnapshot {
    return {
      id: this.id,
      status: 'processing',
      input: this.input,
      output: null,
      error: null,
      reason: null,
      logs: '',
      metrics: { predict_time: 0.1 },
      created_at: '',
      started_at: new Date().toISOString(),
      completed_at: null,
      deployment: null,
      commit: null,
      queue: null,
    }
  }
}
