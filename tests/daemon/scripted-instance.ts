import { Notice } from '@origami/host/notices'
import type { DemoSchema, PredictionEvent, PredictionId, PredictionSnapshot } from '@origami/protocol/demo'
import { Gone } from '@origami/protocol/demo'
import { FolderFiles, type Prediction, type PredictionRequest, type Predictor, predictionsApi } from '@origami/serving'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { expect, vi } from 'vitest'

export const fileSchema = {
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
  /** Ends predictions that it is told to cancel. */
  obeys: boolean
  /** Begins predictions as soon as it has them. Otherwise when the test says so. */
  begins: boolean
  /** How many predictions it says it takes beyond those that run. */
  ahead: number
}

/** An instance over real HTTP that runs nothing: predictions end when the test says so. */
export class ScriptedInstance implements AsyncDisposable, Predictor {
  readonly behaviour: Behaviour = {
    refuses: false,
    breaks: false,
    stallsFiles: false,
    stallsSubmit: false,
    stallsResults: false,
    obeys: true,
    begins: true,
    ahead: 0,
  }
  readonly files: FolderFiles
  /** What it was asked, in order: `put`, `submit <word>`, `cancel <word>`, `open`. */
  readonly asked: string[] = []
  readonly runs = new Map<PredictionId, ScriptedRun>()
  /** Answers in place of the instance, or returns undefined. */
  instead: ((request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined) | undefined
  endpoint = ''
  private readonly app: FastifyInstance = Fastify({ forceCloseConnections: true })

  private constructor(folder: string) {
    this.files = new FolderFiles(folder, { maxFileBytes: () => 10 * 1024 ** 2 })
  }

  static async start(folder: string): Promise<ScriptedInstance> {
    const instance = new ScriptedInstance(folder)
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
    return { status: 'READY' as const, setup: null, ahead: this.behaviour.ahead, version: {} }
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

  /** Changes what it does. Requests that were held go on. */
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

class ScriptedRun implements Prediction {
  readonly id: PredictionId
  readonly input: Record<string, unknown>
  canceled = false
  private startedAt: string | null = null
  private readonly instance: ScriptedInstance
  private readonly numbered: Exclude<PredictionEvent, { type: 'queue' }>[] = []
  private readonly changed = new Notice()

  constructor(instance: ScriptedInstance, id: PredictionId, input: Record<string, unknown>) {
    this.instance = instance
    this.id = id
    this.input = input
    if (instance.behaviour.begins) this.begin()
  }

  begin(): void {
    this.startedAt = new Date().toISOString()
    this.tell({ type: 'start', data: { id: this.id, status: 'processing' } })
  }

  /** Says that it was stopped before it began. */
  giveBack(): void {
    this.end({ status: 'failed', output: null, reason: 'interrupted', error: 'stopped' })
  }

  tell(event: Record<string, unknown>): void {
    this.numbered.push({ ...event, seq: this.numbered.length + 1 } as never)
    this.changed.notify()
  }

  end(change: Partial<PredictionSnapshot> = {}): void {
    this.tell({
      type: 'completed',
      data: { ...this.now(), status: 'succeeded', output: { said: 'done', made: null }, ...change },
    })
  }

  async snapshot(): Promise<PredictionSnapshot> {
    const last = this.numbered.at(-1)
    return last?.type === 'completed' ? last.data : this.now()
  }

  async *events(after = 0, signal?: AbortSignal): AsyncIterable<PredictionEvent> {
    for (let index = after; !signal?.aborted; ) {
      const change = this.changed.next(signal)
      const event = this.numbered[index]
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
      started_at: this.startedAt,
      completed_at: null,
      deployment: null,
      commit: null,
      queue: null,
    }
  }
}
