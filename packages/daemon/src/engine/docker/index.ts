import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import Docker from 'dockerode'
import type {
  BuildRequest,
  Engine,
  Guarantees,
  Image,
  ImageRef,
  Instance,
  InstanceExit,
  InstanceId,
  LogCursor,
  LogLine,
  StartRequest,
} from '../engine.ts'
import { buildImage } from './build.ts'
import { followLog } from './container-log.ts'
import { containerName, containerSpec, labels, networkName } from './spec.ts'

export interface DockerEngineOptions {
  /** The random id of the state folder: what has another is never touched. */
  readonly owner: string
  /** Docker's socket; DOCKER_HOST, or the usual place, when not given. */
  readonly socket?: string
}

const reconnectMs = 1000

/** Containers on this host. */
export class DockerEngine implements Engine {
  readonly name = 'docker'
  readonly guarantees: Guarantees = { limits: true, isolation: true, exitReasons: true, gpus: false, dockerfile: true }
  private readonly docker: Docker
  private readonly owner: string

  constructor({ owner, socket }: DockerEngineOptions) {
    this.owner = owner
    this.docker = socket ? new Docker({ socketPath: socket }) : new Docker()
  }

  async ready(): Promise<void> {
    await this.docker.ping().catch((cause: unknown) => {
      throw new Error('Docker does not answer; start it, or use --engine process for your own code', { cause })
    })
  }

  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    const before = (await this.images()).find((image) => image.deployment === request.deployment)
    return before?.ref ?? ((await buildImage(this.docker, this.owner, request, signal)) as ImageRef)
  }

  async start(request: StartRequest): Promise<Instance> {
    await this.network(request.demo)
    const { Config } = await this.docker.getImage(request.image).inspect()
    try {
      const container = await this.docker.createContainer(containerSpec(request, this.owner, Config.User))
      await container.start()
    } catch (error) {
      if (statusOf(error) !== 409) throw error
      // It was made before a crash: taken over as it is, and started if it had not been.
      await this.docker.getContainer(containerName(request)).start().catch(unless(304))
    }
    const instance = await this.find(containerName(request) as InstanceId)
    if (!instance) throw new Error('the container that was just started is gone')
    return instance
  }

  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const instance = await this.find(id)
    if (instance?.state !== 'running') return false
    await this.docker
      .getContainer(id)
      .stop({ t: Math.ceil(graceMs / 1000) })
      .catch(unless(304, 404))
    return true
  }

  async remove(id: InstanceId): Promise<boolean> {
    if (!(await this.find(id))) return false
    await this.docker.getContainer(id).remove({ force: true, v: true }).catch(unless(404, 409))
    return true
  }

  /** Ports are read anew each time, since they change on a restart. */
  async find(id: InstanceId): Promise<Instance | undefined> {
    const found = await this.docker
      .getContainer(id)
      .inspect()
      .catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error
      })
    const { Labels = {} } = found?.Config ?? {}
    if (!found || Labels[labels.owner] !== this.owner) return undefined
    const { State, NetworkSettings } = found
    const [binding] = Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? [])
    const running = State.Running || State.Status === 'created'
    const instance = {
      id: found.Id as InstanceId,
      demo: Labels[labels.demo] as DemoId,
      deployment: Labels[labels.deployment] as DeploymentId,
      image: found.Image as ImageRef,
    }
    if (running) return { ...instance, state: 'running', endpoint: binding && `http://127.0.0.1:${binding.HostPort}` }
    const exit = { id: instance.id, code: State.ExitCode, outOfMemory: State.OOMKilled, at: new Date(State.FinishedAt) }
    return { ...instance, state: 'exited', endpoint: undefined, exit }
  }

  async list(): Promise<readonly Instance[]> {
    const found = await this.docker.listContainers({ all: true, filters: this.mine() })
    const instances = await Promise.all(found.map(({ Id }) => this.find(Id as InstanceId)))
    return instances.filter((instance) => instance !== undefined)
  }

  async images(): Promise<readonly Image[]> {
    const found = await this.docker.listImages({ filters: this.mine() })
    return found.map(({ Id, Labels }) => ({
      ref: Id as ImageRef,
      demo: Labels[labels.demo] as DemoId,
      deployment: Labels[labels.deployment] as DeploymentId,
    }))
  }

  async removeImage(image: ImageRef): Promise<boolean> {
    if (!(await this.images()).some(({ ref }) => ref === image)) return false
    await this.docker.getImage(image).remove({ force: true }).catch(unless(404))
    return true
  }

  async forget(demo: DemoId): Promise<void> {
    const networks = await this.docker.listNetworks({ filters: this.mine(`${labels.demo}=${demo}`) })
    for (const { Id } of networks) await this.docker.getNetwork(Id).remove().catch(unless(404))
  }

  logs(id: InstanceId, after: LogCursor | undefined, signal: AbortSignal): AsyncIterable<LogLine & { cursor: LogCursor }> {
    return followLog(this.docker, id, after, signal)
  }

  /** Docker's stream of events drops; it is opened again, from the last event on. */
  async *exits(signal: AbortSignal): AsyncIterable<InstanceExit> {
    const filters = { event: ['die'], label: [`${labels.owner}=${this.owner}`] }
    let since = nanoseconds(BigInt(Date.now()) * 1_000_000n)
    while (!signal.aborted) {
      try {
        const stream = (await this.docker.getEvents({ filters, since, abortSignal: signal } as never)) as unknown as Readable
        for await (const line of createInterface({ input: stream, signal })) {
          const { id } = JSON.parse(line) as { id: InstanceId }
          since = after(line)
          const exit = (await this.find(id))?.exit
          if (exit) yield exit
        }
      } catch (error) {
        if (signal.aborted) return
        console.error('Docker no longer tells what exits; trying again', error)
      }
      await setTimeout(reconnectMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private async network(demo: DemoId): Promise<void> {
    const Labels = { [labels.owner]: this.owner, [labels.demo]: demo }
    const there = await this.docker.listNetworks({ filters: this.mine(`${labels.demo}=${demo}`) })
    if (there.length === 0)
      await this.docker
        .createNetwork({ Name: networkName(demo), Driver: 'bridge', Labels, CheckDuplicate: true })
        .catch(unless(409))
  }

  private mine(...more: string[]): { label: string[] } {
    return { label: [`${labels.owner}=${this.owner}`, ...more] }
  }
}

/** As Docker's `since` takes a time: seconds, with nanoseconds. */
const nanoseconds = (time: bigint): string => `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`

/** Just after an event: its time does not fit a number. */
const after = (event: string): string => nanoseconds(BigInt(/"timeNano":(\d+)/.exec(event)?.[1] ?? 0) + 1n)

const statusOf = (error: unknown): number | undefined => (error as { statusCode?: number }).statusCode

const unless =
  (...statuses: number[]) =>
  (error: unknown): undefined => {
    if (!statuses.includes(statusOf(error) ?? 0)) throw error
    return undefined
  }
