import { once } from 'node:events'
import { randomId } from '@origami/protocol/demo'
import { DockerEngine } from '../../packages/daemon/src/engine/docker/index.ts'
import type {
  BuildRequest,
  Engine,
  ImageRef,
  Instance,
  InstanceId,
  StartRequest,
} from '../../packages/daemon/src/engine/engine.ts'
import { ProcessEngine } from '../../packages/daemon/src/engine/process/index.ts'
import type { Source } from '../../packages/daemon/src/source/source.ts'

/** Where a test may stop a deploy. */
export type Hold = 'clone' | 'build' | 'start'

/** A real engine that waits, before it builds or starts, for as long as the test holds it; what it did is told in order. */
export class HeldEngine implements Engine {
  readonly name: string
  readonly guarantees: Engine['guarantees']
  readonly told: string[] = []
  private readonly real: Engine
  private readonly holds: ReadonlySet<Hold>

  constructor(kind: 'process' | 'docker', folder: string, holds: ReadonlySet<Hold>) {
    this.real = kind === 'docker' ? new DockerEngine({ owner: randomId() }) : new ProcessEngine({ folder, owner: '' })
    this.name = this.real.name
    this.guarantees = this.real.guarantees
    this.holds = holds
  }

  ready(signal: AbortSignal): Promise<void> {
    return this.real.ready(signal)
  }
  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    await held(this.holds, 'build', signal)
    return this.real.build(request, signal)
  }
  async start(request: StartRequest, signal: AbortSignal): Promise<Instance> {
    await held(this.holds, 'start', signal)
    this.told.push(`start ${request.deployment}`)
    return this.real.start(request, signal)
  }
  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const instance = await this.real.find(id)
    const stopped = await this.real.stop(id, graceMs)
    if (stopped) this.told.push(`stop ${instance?.deployment}`)
    return stopped
  }
  remove(id: InstanceId): Promise<boolean> {
    return this.real.remove(id)
  }
  find(id: InstanceId): Promise<Instance | undefined> {
    return this.real.find(id)
  }
  list(): Promise<readonly Instance[]> {
    return this.real.list()
  }
  images() {
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
  exits(signal: AbortSignal): ReturnType<Engine['exits']> {
    return this.real.exits(signal)
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
  async resolve(...[request, signal]: Parameters<Source['resolve']>): ReturnType<Source['resolve']> {
    await held(this.holds, 'clone', signal)
    return this.real.resolve(request, signal)
  }
  fetch(...how: Parameters<Source['fetch']>): ReturnType<Source['fetch']> {
    return this.real.fetch(...how)
  }
}

async function held(holds: ReadonlySet<Hold>, where: Hold, signal: AbortSignal): Promise<void> {
  while (holds.has(where)) {
    signal.throwIfAborted()
    await once(AbortSignal.any([signal, AbortSignal.timeout(20)]), 'abort')
  }
  signal.throwIfAborted()
}
