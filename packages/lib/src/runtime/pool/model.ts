import type { DemoSchema, Health, Manifest } from '@origami/protocol/demo'
import type { DescribedDemo } from '../wire/messages.ts'
import { demoTitle } from './title.ts'
import type { Setup } from './worker-process.ts'

/** What `.origami` says of how a model runs. */
export type ModelManifest = Partial<
  Pick<Manifest, 'title' | 'description' | 'concurrency' | 'timeout' | 'ready_within'>
>

/** Where neither `.origami` nor the model says what the demo is called. */
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

/** What is known of a model: the demo that it is, and how its setup went. */
export class Model {
  private readonly name: ModelName
  private manifest: ModelManifest
  private loading: SetupState = { status: 'starting', startedAt: new Date() }
  private described: DemoSchema | undefined

  constructor(manifest: ModelManifest = {}, name: ModelName = { folder: '' }) {
    this.manifest = manifest
    this.name = name
  }

  /** Undefined until a worker has described it; after a reload the one before, until then. */
  get schema(): DemoSchema | undefined {
    return this.described
  }

  /** Why its setup failed; undefined while it did not. */
  get failure(): string | undefined {
    return this.loading.status === 'failed' ? this.loading.error : undefined
  }

  /** How many predictions run at a time. */
  get concurrency(): number {
    return this.described?.concurrency ?? 1
  }

  /** How long one prediction may run. */
  get timeoutMs(): number {
    return (this.manifest.timeout ?? 600) * 1000
  }

  /** How long a setup may take once another has shown how long it takes. */
  get setupMs(): number {
    return (this.manifest.ready_within ?? 120) * 1000
  }

  /** It is loaded anew: until a setup went one way or the other nothing is known of that. */
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
  }

  /**
   * A setup went so. The first decides what the demo is said to be until one succeeds; of a later one it returns false:
   * that takes nothing from the workers that serve.
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
   * STARTING until a worker serves, and again while none is left; SETUP_FAILED while none did and the first could not.
   */
  health({ ready, size, hasRoom }: { ready: number; size: number; hasRoom: boolean }): Health {
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
      version: { origami: '1', node: process.versions.node },
    }
  }

  private status(ready: number, hasRoom: boolean): Health['status'] {
    if (this.loading.status === 'failed') return 'SETUP_FAILED'
    if (this.loading.status === 'starting' || ready === 0) return 'STARTING'
    return hasRoom ? 'READY' : 'BUSY'
  }
}
