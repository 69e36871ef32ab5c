import { once } from 'node:events'
import { defaultLimits } from '../../packages/daemon/src/config.ts'
import { DockerEngine } from '../../packages/daemon/src/engine/docker/docker-engine.ts'
import type {
  BuildRequest,
  Engine,
  EngineLimits,
  ImageRef,
  Instance,
  InstanceId,
  StartRequest,
} from '../../packages/daemon/src/engine/engine.ts'
import { ProcessEngine } from '../../packages/daemon/src/engine/process/process-engine.ts'
import type { Source } from '../../packages/daemon/src/source/source.ts'

/** Where a test may stop a deploy. */
export type Hold = 'clone' | 'build' | 'start' | 'remove'

/**
 * A real engine that waits, before it builds, starts or removes, for as long as the test holds it; what it did is told
 * in order.
 */
export class HeldEngine implements Engine {
  readonly name: string
  readonly guarantees: Engine['guarantees']
  readonly actions: string[] = []
  /** How many of the next calls fail, as they do while Docker restarts. */
  readonly faults = new Map<'list' | 'instancesOf' | 'exits' | 'images' | 'stop', number>()
  /** What each call of `stop` gave. */
  readonly graces: number[] = []
  /** Calls of `start` that go on now, and the most there were. */
  private starting = 0
  mostStarting = 0
  /** Instances that are being removed now: of those that remove the same one, the first is held. */
  readonly removing = new Set<InstanceId>()
  /** How often images were asked for, as each round does. */
  rounds = 0
  private readonly real: Engine
  private readonly holds: ReadonlySet<Hold>

  constructor(
    kind: 'process' | 'docker',
    folder: string,
    owner: string,
    holds: ReadonlySet<Hold>,
    limits: EngineLimits = defaultLimits,
  ) {
    this.real =
      kind === 'docker'
        ? new DockerEngine({ folder, owner, limits })
        : new ProcessEngine({ folder, owner, environment: process.env })
    this.name = this.real.name
    this.guarantees = this.real.guarantees
    this.holds = holds
  }

  get unisolated(): string | undefined {
    return this.real.unisolated
  }
  isolate(): Promise<void> {
    return this.real.isolate()
  }
  ready(signal: AbortSignal): Promise<void> {
    return this.real.ready(signal)
  }
  dropCaches(signal: AbortSignal): Promise<void> {
    return this.real.dropCaches(signal)
  }
  imageStore(signal: AbortSignal): Promise<string | undefined> {
    return this.real.imageStore(signal)
  }
  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    await held(this.holds, 'build', signal)
    return this.real.build(request, signal)
  }
  async start(request: StartRequest, signal: AbortSignal): Promise<Instance> {
    this.starting += 1
    this.mostStarting = Math.max(this.mostStarting, this.starting)
    await held(this.holds, 'start', signal).finally(() => {
      this.starting -= 1
    })
    this.actions.push(`start ${request.deployment}`)
    return this.real.start(request, signal)
  }
  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    this.graces.push(graceMs)
    this.fault('stop')
    const instance = await this.real.find(id)
    const stopped = await this.real.stop(id, graceMs)
    if (stopped) this.actions.push(`stop ${instance?.deployment}`)
    return stopped
  }
  async remove(id: InstanceId): Promise<boolean> {
    if (this.removing.has(id)) return this.real.remove(id)
    this.removing.add(id)
    await held(this.holds, 'remove', new AbortController().signal)
    return this.real.remove(id).finally(() => this.removing.delete(id))
  }
  find(id: InstanceId): Promise<Instance | undefined> {
    return this.real.find(id)
  }
  inputFolder(...of: Parameters<Engine['inputFolder']>): ReturnType<Engine['inputFolder']> {
    return this.real.inputFolder(...of)
  }
  watch(...how: Parameters<Engine['watch']>): ReturnType<Engine['watch']> {
    return this.real.watch(...how)
  }
  async instancesOf(demo: StartRequest['demo']): Promise<readonly Instance[]> {
    this.fault('instancesOf')
    return this.real.instancesOf(demo)
  }
  async list(): Promise<readonly Instance[]> {
    this.fault('list')
    return this.real.list()
  }
  async images() {
    this.rounds += 1
    this.fault('images')
    return this.real.images()
  }
  removeImage(image: ImageRef): Promise<boolean> {
    return this.real.removeImage(image)
  }
  forget(...demo: Parameters<Engine['forget']>): Promise<void> {
    return this.real.forget(...demo)
  }
  logs(...how: Parameters<Engine['logs']>): ReturnType<Engine['logs']> {
    return this.real.logs(...how)
  }
  async *exits(signal: AbortSignal): ReturnType<Engine['exits']> {
    this.fault('exits')
    for await (const exit of this.real.exits(signal)) {
      yield exit
      this.fault('exits')
    }
  }
  private fault(call: 'list' | 'instancesOf' | 'exits' | 'images' | 'stop'): void {
    const left = this.faults.get(call) ?? 0
    this.faults.set(call, Math.max(0, left - 1))
    if (left > 0) throw new Error(`the engine restarts (${call})`)
  }
  [Symbol.asyncDispose]() {
    return this.real[Symbol.asyncDispose]()
  }
}

/** Real git that waits before it clones for as long as the test holds it. */
export class HeldSource implements Source {
  private readonly real: Source
  private readonly holds: ReadonlySet<Hold>

  constructor(real: Source, holds: ReadonlySet<Hold>) {
    this.real = real
    this.holds = holds
  }
  async fetch(...[request, signal]: Parameters<Source['fetch']>): ReturnType<Source['fetch']> {
    await held(this.holds, 'clone', signal)
    return this.real.fetch(request, signal)
  }
}

async function held(holds: ReadonlySet<Hold>, where: Hold, signal: AbortSignal): Promise<void> {
  while (holds.has(where)) {
    signal.throwIfAborted()
    await once(AbortSignal.any([signal, AbortSignal.timeout(20)]), 'abort')
  }
  signal.throwIfAborted()
}
