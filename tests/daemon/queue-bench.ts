import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DemoId,
  type DemoSchema,
  type DeploymentId,
  isTerminal,
  type PredictionId,
  type PredictionSnapshot,
  randomId,
  type VisitorId,
} from '@origami/protocol/demo'
import { FolderFiles, HttpPredictor, type Prediction, type Predictor } from '@origami/serving'
import { expect, vi } from 'vitest'
import { Changes } from '../../packages/daemon/src/changes.ts'
import { defaultLimits, type Limits } from '../../packages/daemon/src/config.ts'
import type { ImageRef, InstanceId } from '../../packages/daemon/src/engine/engine.ts'
import { Dispatcher } from '../../packages/daemon/src/predictions/dispatcher.ts'
import { Instances } from '../../packages/daemon/src/predictions/instance/instances.ts'
import { KnownDemos } from '../../packages/daemon/src/predictions/known-demos.ts'
import { LiveRuns } from '../../packages/daemon/src/predictions/live-runs.ts'
import { OpenPredictions } from '../../packages/daemon/src/predictions/open-predictions.ts'
import type { DispatcherParts } from '../../packages/daemon/src/predictions/parts.ts'
import { Places } from '../../packages/daemon/src/predictions/places.ts'
import { Queue } from '../../packages/daemon/src/predictions/queue.ts'
import { RunTimes } from '../../packages/daemon/src/predictions/run-times.ts'
import { Turns } from '../../packages/daemon/src/predictions/turns/turns.ts'
import { Commits } from '../../packages/daemon/src/store/commits.ts'
import { type Db, openStore } from '../../packages/daemon/src/store/open.ts'
import { predictionById } from '../../packages/daemon/src/store/predictions.ts'
import { fileSchema, ScriptedInstance } from './scripted-instance.ts'

/**
 * The queue of a daemon over a real store, with instances that a test decides over. Leaving and starting again is a
 * restart of the daemon.
 */
export class QueueBench implements AsyncDisposable {
  readonly folder: string
  readonly limits: Limits
  readonly changed = new Changes()
  readonly lookedAt: DeploymentId[] = []
  /** Milliseconds that the clock of its waits is ahead. */
  ahead = 0
  db: Db
  queue: Queue
  files: FolderFiles
  private parts: DispatcherParts
  private leaving = new AbortController()
  private working: Promise<void> = Promise.resolve()
  private readonly instances: AsyncDisposable[] = []
  private readonly reached = new Instances(defaultLimits)

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
    const { db, changed } = this
    const demos = new KnownDemos(db, changed)
    const [open, times] = [new OpenPredictions(db, changed), new RunTimes(db)]
    const turns = new Turns(open, this.limits)
    return {
      db,
      commits: new Commits(db),
      files: this.files,
      limits: this.limits,
      now: () => new Date().toISOString(),
      changed,
      demos,
      open,
      live: new LiveRuns(this.limits),
      places: new Places({ demos, open, times, turns }),
      times,
      turns,
      reach: (base) => new HttpPredictor({ base, deadlines: () => ({ answerMs: 1000, idleMs: 60_000 }) }),
      ahead: (endpoint) => this.reached.ahead(endpoint),
      clockMs: () => performance.now() + this.ahead,
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

  /** Stores what is stored later. */
  flush(): Promise<void> {
    return this.parts.commits.flush()
  }

  /** Forgets what would be stored later. */
  neverStoreLater(): void {
    vi.spyOn(this.parts.commits, 'later').mockReturnValue()
  }

  /** Leaves without storing what is stored later. */
  async crash(): Promise<void> {
    vi.spyOn(this.parts.commits, 'flush').mockResolvedValue()
    await this.leave()
  }

  async start(): Promise<void> {
    this.db = await openStore(this.folder)
    this.parts = this.makeParts()
    this.queue = new Queue(this.parts)
    this.work()
  }

  /** A demo that is served by this instance. */
  async demo(
    instance: Pick<ScriptedInstance, 'endpoint'>,
    manifest: object = {},
    schema: DemoSchema = fileSchema,
  ): Promise<DemoId> {
    const demo = randomId() as DemoId
    const now = new Date().toISOString()
    await this.db
      .insertInto('demos')
      .values({ id: demo, user_id: 'ann', repolink: 'https://folder.test/ann/x', want: 'on', created_at: now })
      .execute()
    await this.serve(demo, instance, manifest, schema)
    return demo
  }

  /** Lets this instance serve the demo from now on. */
  async serve(
    demo: DemoId,
    { endpoint }: Pick<ScriptedInstance, 'endpoint'>,
    manifest: object = {},
    schema: DemoSchema = fileSchema,
  ) {
    const [deployment, now] = [randomId() as DeploymentId, new Date().toISOString()]
    const times = { created_at: now, updated_at: now }
    await this.db
      .insertInto('deployments')
      .values({
        id: deployment,
        demo_id: demo,
        state: 'running',
        image: 'image' as ImageRef,
        instance: randomId() as InstanceId,
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

  async instance(): Promise<ScriptedInstance> {
    const instance = await ScriptedInstance.start(await mkdtemp(join(this.folder, 'instance-')))
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
    this.reached[Symbol.dispose]()
    for (const instance of this.instances) await instance[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export async function* text(bytes: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(bytes)
}
