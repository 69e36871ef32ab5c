import { setTimeout } from 'node:timers/promises'
import type { DescribedDemo } from '../wire/messages.ts'
import type { Launch } from './launch.ts'
import { type Setup, WorkerProcess } from './worker-process.ts'

/** The state of one place in the pool. */
export type WorkerPlace =
  /** It has no worker until the process is launched. */
  | { readonly state: 'starting'; readonly worker?: WorkerProcess }
  | { readonly state: 'idle'; readonly worker: WorkerProcess }
  /**
   * It holds calls, including those in preparation and those ahead. A worker with more slots than calls takes another
   * one.
   */
  | { readonly state: 'busy'; readonly worker: WorkerProcess; readonly calls: number }
  /** It pauses until then, and is filled again. */
  | { readonly state: 'failed'; readonly error: string; readonly until: Date }

/** A worker's slot for one call, until it is disposed. */
export interface Lease extends Disposable {
  readonly worker: WorkerProcess
}

export interface WorkersOptions {
  /** Makes the command that starts a worker. Called for each worker. */
  readonly launch: () => Launch
  /** How long a place pauses after its first, second, … worker in a row that served no call. The last value repeats. */
  readonly backOffMs: readonly number[]
  /** How long a worker's setup may take, once another one has shown how long it takes. */
  readonly setupMs: number
  onSchema(schema: DescribedDemo): void
  /** Called each time a worker's setup succeeded or failed. */
  onSetup(setup: Setup): void
  /** Called when a worker can take calls. */
  onFree(): void
}

/**
 * The workers of one model. Each place is kept filled: when a worker exits or cannot be started, another one follows.
 */
export class Workers implements AsyncDisposable {
  private readonly options: WorkersOptions
  private readonly places = new Map<number, WorkerPlace>()
  private readonly refilling: Promise<void>[] = []
  private readonly ending = new AbortController()
  private firstSetupMs: number | undefined

  constructor(options: WorkersOptions) {
    this.options = options
    this.grow(1)
  }

  /** How many places there are. */
  get size(): number {
    return this.places.size
  }

  /** How many workers serve. */
  get ready(): number {
    return [...this.places.values()].filter(({ state }) => state === 'idle' || state === 'busy').length
  }

  /** Whether a worker takes one more call. */
  get hasFree(): boolean {
    return [...this.places.values()].some(takesCalls)
  }

  /** A slot of a worker that takes one more call. Undefined: there is none. */
  take(): Lease | undefined {
    for (const [index, place] of this.places) {
      if (!takesCalls(place)) continue
      return this.lease(index, place.worker, callsOf(place) + 1)
    }
    return undefined
  }

  /**
   * A place for one call more in a worker that has no slot for it. Undefined: there is none, or several workers, of
   * which another one might be free first.
   */
  takeAhead(): Lease | undefined {
    const [place] = this.places.values()
    if (this.size > 1 || place?.state !== 'busy' || !place.worker.isOpen) return undefined
    const { worker, calls } = place
    if (calls < worker.slots || calls >= worker.slots + worker.ahead) return undefined
    return this.lease(0, worker, calls + 1)
  }

  grow(size: number): void {
    while (this.places.size < size) {
      const place = this.places.size
      this.places.set(place, { state: 'starting' })
      this.refilling.push(this.keepFilled(place))
    }
  }

  /** Kills all workers. `why` is the error of their calls. */
  kill(why: string): void {
    this.ending.abort()
    for (const place of this.places.values()) if (place.state !== 'failed') place.worker?.kill(why)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('the runtime is ending')
    await Promise.all(this.refilling)
  }

  private lease(index: number, worker: WorkerProcess, calls: number): Lease {
    this.places.set(index, { state: 'busy', worker, calls })
    return { worker, [Symbol.dispose]: () => this.release(index, worker) }
  }

  private release(index: number, worker: WorkerProcess): void {
    const place = this.places.get(index)
    // The place may have another worker by now.
    if (place?.state !== 'busy' || place.worker !== worker) return
    const calls = place.calls - 1
    this.places.set(index, calls === 0 ? { state: 'idle', worker } : { state: 'busy', worker, calls })
  }

  /** Never rejects. */
  private async keepFilled(place: number): Promise<void> {
    const { signal } = this.ending
    let failures = 0
    while (!signal.aborted) {
      const { error, served } = await this.fill(place)
      failures = served ? 0 : failures + 1
      const delay = served ? 0 : this.backOff(failures)
      this.places.set(place, { state: 'failed', error, until: new Date(Date.now() + delay) })
      // An aborted wait ends the loop by its condition.
      await setTimeout(delay, undefined, { ref: false, signal }).catch(() => undefined)
    }
  }

  private backOff(failures: number): number {
    const { backOffMs } = this.options
    return backOffMs[Math.min(failures, backOffMs.length) - 1] ?? 0
  }

  /** Runs one worker from its start to its exit, and returns whether it served. Never rejects. */
  private async fill(place: number): Promise<{ error: string; served: boolean }> {
    let worker: WorkerProcess
    try {
      worker = new WorkerProcess(this.options.launch())
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.tell(() => this.options.onSetup({ status: 'failed', error: message, logs: `${message}\n` }))
      return { error: message, served: false }
    }
    this.places.set(place, { state: 'starting', worker })
    worker.schema.then(
      (schema) => this.tell(() => this.options.onSchema(schema)),
      () => undefined, // Its setup says why there is no schema.
    )
    const setup = await this.prepare(worker)
    if (setup.status === 'succeeded') this.places.set(place, { state: 'idle', worker })
    else worker.kill()
    this.tell(() => this.options.onSetup(setup))
    if (setup.status === 'succeeded') this.tell(() => this.options.onFree())
    const error = await worker.exited
    return { error: setup.status === 'failed' ? setup.error : error, served: worker.hasServed }
  }

  /** The first setup has no limit here, because whoever started the runtime has one. Later ones have this limit. */
  private async prepare(worker: WorkerProcess): Promise<Setup> {
    const { setupMs } = this.options
    const startedAt = Date.now()
    const within = this.firstSetupMs === undefined ? undefined : Math.max(setupMs, 4 * this.firstSetupMs)
    const timer =
      within === undefined
        ? undefined
        : globalThis.setTimeout(() => worker.kill(`it was not ready within ${within} ms`), within)
    const setup = await worker.setup
    clearTimeout(timer)
    if (setup.status === 'succeeded') this.firstSetupMs ??= Date.now() - startedAt
    return setup
  }

  /** Once these workers were replaced by others, nothing of them is reported. */
  private tell(what: () => void): void {
    if (!this.ending.signal.aborted) what()
  }
}

const callsOf = (place: WorkerPlace): number => (place.state === 'busy' ? place.calls : 0)

function takesCalls(place: WorkerPlace): place is Extract<WorkerPlace, { state: 'idle' | 'busy' }> {
  if (place.state !== 'idle' && place.state !== 'busy') return false
  return place.worker.isOpen && callsOf(place) < place.worker.slots
}
