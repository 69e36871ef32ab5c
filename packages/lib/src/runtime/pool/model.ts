import { type DemoSchema, type Health, isFileComponent, type Manifest } from '@origami/protocol/demo'
import type { DescribedDemo } from '../wire/messages.ts'
import { demoTitle } from './title.ts'
import type { Setup } from './worker-process.ts'

/** The settings in `.origami` that concern how a model runs. */
export type ModelManifest = Partial<
  Pick<Manifest, 'title' | 'description' | 'concurrency' | 'timeout' | 'ready_within'>
>

/** The names of a demo that are used when neither `.origami` nor the model sets one. */
export interface ModelName {
  readonly configured?: string | undefined
  readonly folder: string
}

type SetupState =
  | { readonly status: 'starting'; readonly startedAt: Date }
  | { readonly status: 'succeeded'; readonly startedAt: Date; readonly completedAt: Date; readonly logs: string }
  | {
      readonly status: 'failed'
      readonly startedAt: Date
      readonly completedAt: Date
      readonly logs: string
      readonly error: string
    }

/** What is known of a model: its schema, and how its setup went. */
export class Model {
  private readonly name: ModelName
  private manifest: ModelManifest
  private loading: SetupState = { status: 'starting', startedAt: new Date() }
  private described: DemoSchema | undefined
  /** Whether an input or an output is a file. False until it is known. */
  hasFiles = false

  constructor(manifest: ModelManifest = {}, name: ModelName = { folder: '' }) {
    this.manifest = manifest
    this.name = name
  }

  /** Undefined until a worker has described the model. After a reload the earlier schema stays until then. */
  get schema(): DemoSchema | undefined {
    return this.described
  }

  /** Why its setup failed. Undefined unless it did. */
  get failure(): string | undefined {
    return this.loading.status === 'failed' ? this.loading.error : undefined
  }

  /** How many predictions run at the same time. */
  get concurrency(): number {
    return this.described?.concurrency ?? 1
  }

  /** How long one prediction may run. */
  get timeoutMs(): number {
    return (this.manifest.timeout ?? 600) * 1000
  }

  /** How long a setup may take, once another one has shown how long it takes. */
  get setupMs(): number {
    return (this.manifest.ready_within ?? 120) * 1000
  }

  /** Forgets how the setup went, because the model is loaded again. */
  reload(manifest: ModelManifest = this.manifest): void {
    this.manifest = manifest
    this.loading = { status: 'starting', startedAt: new Date() }
  }

  describe(schema: DescribedDemo): void {
    const { title, description, concurrency } = this.manifest
    this.described = {
      ...schema,
      title: demoTitle({ manifest: title, model: schema.title, ...this.name }),
      ...(description === undefined ? {} : { description }),
      ...(concurrency === undefined ? {} : { concurrency }),
    }
    this.hasFiles = [...schema.inputs, ...schema.outputs].some(({ component }) => isFileComponent(component))
  }

  /**
   * Notes how a setup went. Once one has succeeded nothing changes any more, and this returns false: a later failure
   * does not affect workers that serve.
   */
  setUp(setup: Setup): boolean {
    if (this.loading.status === 'succeeded') return false
    const { startedAt } = this.loading
    const times = { startedAt, completedAt: new Date(), logs: setup.logs }
    this.loading =
      setup.status === 'failed' ? { ...times, status: 'failed', error: setup.error } : { ...times, status: 'succeeded' }
    return true
  }

  /**
   * STARTING until a worker serves, and again when none is left. SETUP_FAILED when the first setup failed and none has
   * succeeded.
   */
  health({ ready, size, hasRoom, ahead }: { ready: number; size: number; hasRoom: boolean; ahead: number }): Health {
    const { loading } = this
    return {
      status: this.status(ready, hasRoom),
      setup: {
        started_at: loading.startedAt.toISOString(),
        completed_at: loading.status === 'starting' ? null : loading.completedAt.toISOString(),
        status: loading.status,
        logs: loading.status === 'starting' ? '' : loading.logs,
      },
      workers: { ready, of: size },
      ahead,
      version: { origami: '1', node: process.versions.node },
    }
  }

  private status(ready: number, hasRoom: boolean): Health['status'] {
    if (this.loading.status === 'failed') return 'SETUP_FAILED'
    if (this.loading.status === 'starting' || ready === 0) return 'STARTING'
    return hasRoom ? 'READY' : 'BUSY'
  }
}
