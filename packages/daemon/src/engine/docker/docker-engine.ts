import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { unlessAbsent } from '@origami/host/absent-files'
import { logger } from '@origami/host/logger'
import type { DemoId, DeploymentId, NetworkPolicy } from '@origami/protocol/demo'
import type Docker from 'dockerode'
import { allowedNetwork, defaultLimits } from '../../config.ts'
import type { LogLine } from '../../logs/log-line.ts'
import { endLeftovers } from '../../state/leftovers.ts'
import type {
  BuildRequest,
  Engine,
  EngineLimits,
  Image,
  ImageRef,
  InputFolder,
  Instance,
  InstanceExit,
  InstanceId,
  LogCursor,
  StartRequest,
} from '../engine.ts'
import { guaranteesOf } from '../guarantees.ts'
import { buildImage } from './build-image.ts'
import { type BuildLimit, limitBuilds } from './build-limits.ts'
import { BuildSteps } from './build-steps.ts'
import { containerEvents } from './container-events.ts'
import { containerInstance } from './container-instance.ts'
import { followLog } from './container-log.ts'
import { containerName, containerSpec, type ImageConfig, labels, networkName } from './container-spec.ts'
import { DockerClient, httpStatusOf } from './docker-client.ts'
import { Firewall } from './firewall/firewall.ts'
import { interfaceName } from './firewall/interfaces.ts'

const log = logger('engine')

export interface DockerEngineOptions {
  /** The random id of the state folder. Containers and images that carry another id are never touched. */
  readonly owner: string
  /** The folder for inputs of instances. Without one they get them over HTTP. */
  readonly folder?: string
  /** Path of Docker's socket. The default is DOCKER_HOST, or the usual path. */
  readonly socket?: string
  readonly limits?: EngineLimits
  /** Whether demos and builds are refused where no firewall rules can be set. */
  readonly requiresFirewall?: boolean
  /** The OCI runtime of containers, such as `runsc`. Undefined: Docker's default. */
  readonly runtime?: string | undefined
}

/** Runs instances as containers on this host. */
export class DockerEngine implements Engine {
  readonly name = 'docker'
  readonly guarantees = guaranteesOf.docker
  private readonly client: DockerClient
  private readonly owner: string
  private readonly inputs: string | undefined
  private readonly limits: EngineLimits
  private readonly steps = new BuildSteps()
  /** What was logged last of builds that are not limited. */
  private unlimited = ''
  private readonly firewall: Firewall
  private readonly runtime: string | undefined

  constructor({
    owner,
    folder,
    socket,
    limits = defaultLimits,
    requiresFirewall = false,
    runtime,
  }: DockerEngineOptions) {
    this.owner = owner
    this.inputs = folder && resolve(folder, 'inputs')
    this.limits = limits
    this.client = new DockerClient(socket, limits)
    this.runtime = runtime
    this.firewall = new Firewall({ client: this.client, owner, limits, isRequired: requiresFirewall })
  }

  get unisolated(): string | undefined {
    return this.firewall.problem
  }

  async ready(signal: AbortSignal): Promise<void> {
    // Docker ends a build when the connection to it ends. A git process of an earlier daemon has to be ended here.
    await endLeftovers(this.owner, this.limits.killMs)
    await this.client
      .within(signal)
      .ping()
      .catch((cause: unknown) => {
        throw new Error('Docker does not answer; start it, or use --engine process for your own code', { cause })
      })
    await this.limitBuilds(signal)
    await this.checkRuntime(signal)
    await this.removeLeftInputs()
  }

  async imageStore(signal: AbortSignal): Promise<string | undefined> {
    if (!this.client.isLocal) return undefined
    const { DockerRootDir: folder } = (await this.client.within(signal).info()) as { DockerRootDir?: unknown }
    // Docker may run with other folders than this process sees.
    return typeof folder === 'string' && existsSync(folder) ? folder : undefined
  }

  /**
   * Puts the limits of builds in force, which also a restart of Docker may have ended. Returns what is limited, and why
   * something is not. Nothing: the operator wants none.
   */
  async limitBuilds(signal: AbortSignal): Promise<readonly BuildLimit[]> {
    if (this.limits.buildMemoryBytes === 0) return []
    const { CgroupDriver: cgroupDriver } = (await this.client.within(signal).info()) as { CgroupDriver?: unknown }
    const found = await limitBuilds(this.limits, { isLocal: this.client.isLocal, cgroupDriver })
    const lacking = found.flatMap(({ what, why }) => (why === undefined ? [] : [`${what} (${why})`])).join('; ')
    if (lacking !== this.unlimited && lacking !== '') log.error(`builds are not limited in ${lacking}`)
    this.unlimited = lacking
    return found
  }

  /** Throws Error when Docker does not know the runtime that the operator chose. */
  private async checkRuntime(signal: AbortSignal): Promise<void> {
    if (this.runtime === undefined) return
    const { Runtimes = {} } = (await this.client.within(signal).info()) as { Runtimes?: Record<string, unknown> }
    if (Runtimes[this.runtime] === undefined)
      throw new Error(
        `isolation: expected a runtime that Docker knows (${Object.keys(Runtimes).join(', ')}), got ${this.runtime}; add it to "runtimes" in /etc/docker/daemon.json`,
      )
  }

  /** Removes the folders of inputs of containers that somebody else removed. */
  private async removeLeftInputs(): Promise<void> {
    const left = new Set(this.inputs ? await readdir(this.inputs).catch(unlessAbsent([])) : [])
    if (!this.inputs || left.size === 0) return
    for (const { deployment } of await this.list()) left.delete(deployment)
    for (const name of left) await rm(join(this.inputs, name), { recursive: true, force: true })
  }

  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    const before = (await this.imagesWithin(signal)).find((image) => image.deployment === request.deployment)
    if (before) return before.ref
    const policy = allowedNetwork(request.manifest.network, this.limits)
    const limits = await this.limitBuilds(signal)
    const { owner } = this
    const { imageBytes } = this.limits
    const build = () => buildImage(this.client, { owner, imageBytes }, request, signal)
    const image = await this.steps.during(
      limits.flatMap(({ step }) => step ?? []),
      () => this.besideNetwork(request.demo, policy, signal, () => this.firewall.aroundBuild(signal, build)),
    )
    if (this.limits.buildCacheBytes > 0)
      await this.client.pruneBuilds(this.limits.buildCacheBytes, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        log.error('the cache of builds could not be made smaller; the next build tries again', error)
      })
    return image as ImageRef
  }

  async dropCaches(signal: AbortSignal): Promise<void> {
    if (this.limits.buildCacheBytes > 0) await this.client.pruneBuilds(0, signal)
  }

  async start(request: StartRequest, signal: AbortSignal): Promise<Instance> {
    const docker = this.client.within(signal)
    const [{ Config }] = await Promise.all([
      docker.getImage(request.image).inspect(),
      this.network(request.demo, request.spec.network, docker),
    ])
    await this.firewall.ensure(signal)
    try {
      const container = await this.create(request, Config, docker)
      await container.start()
    } catch (error) {
      if (httpStatusOf(error) !== 409) throw error
      // The container was made before a crash. It is used as it is, and started if it had not been.
      await docker.getContainer(containerName(request)).start().catch(unless(304))
    }
    const instance = await this.inspect(containerName(request), docker)
    if (!instance) throw new Error('the container that was just started is gone')
    return instance
  }

  private async create(request: StartRequest, image: ImageConfig, docker: Docker): Promise<Docker.Container> {
    const inputs = this.inputFolder(request.demo, request.deployment)?.path
    const spec = (folder?: string) =>
      containerSpec(request, { owner: this.owner, runtime: this.runtime }, image, folder)
    if (inputs === undefined) return docker.createContainer(spec())
    await mkdir(inputs, { recursive: true })
    // The account in the container is another one.
    await chmod(inputs, 0o755)
    try {
      return await docker.createContainer(spec(inputs))
    } catch (error) {
      if (!/bind source path does not exist/.test(String(error))) throw error
      // Docker runs on another host, or sees other folders.
      await rm(inputs, { recursive: true, force: true })
      return docker.createContainer(spec())
    }
  }

  /** Docker answers with an error when a container does not end although it is killed. */
  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const instance = await this.find(id)
    if (instance?.state !== 'running') return false
    await this.client
      .within(undefined, graceMs + this.limits.killMs + this.limits.engineMs)
      .getContainer(id)
      .stop({ t: Math.ceil(graceMs / 1000) })
      .catch(unless(304, 404))
    return true
  }

  async remove(id: InstanceId): Promise<boolean> {
    const instance = await this.find(id)
    if (!instance) return false
    await this.client.within().getContainer(id).remove({ force: true, v: true }).catch(unless(404, 409))
    const inputs = this.inputFolder(instance.demo, instance.deployment)
    if (inputs) await rm(inputs.path, { recursive: true, force: true })
    return true
  }

  find(id: InstanceId): Promise<Instance | undefined> {
    return this.inspect(id, this.client.within())
  }

  /** Looks again at every event of this container, because its address is known only after it has started. */
  async *watch(id: InstanceId, signal: AbortSignal): AsyncIterable<Instance> {
    for await (const _event of containerEvents(
      this.client,
      { container: [id], event: ['start', 'die', 'destroy'] },
      signal,
    )) {
      const instance = await this.inspect(id, this.client.within(signal))
      if (!instance) return
      yield instance
    }
  }

  inputFolder(_demo: DemoId, deployment: DeploymentId): InputFolder | undefined {
    return this.inputs === undefined ? undefined : { path: join(this.inputs, deployment), isReadOnly: true }
  }

  instancesOf(demo: DemoId): Promise<readonly Instance[]> {
    return this.instancesWith(this.mine(`${labels.demo}=${demo}`))
  }

  list(): Promise<readonly Instance[]> {
    return this.instancesWith(this.mine())
  }

  /** An instance that disappears while they are listed is left out. */
  private async instancesWith(filters: { label: string[] }): Promise<readonly Instance[]> {
    const docker = this.client.within()
    const found = await docker.listContainers({ all: true, filters })
    const instances = await Promise.all(found.map(({ Id }) => this.inspect(Id, docker)))
    return instances.filter((instance) => instance !== undefined)
  }

  images(): Promise<readonly Image[]> {
    return this.imagesWithin()
  }

  async removeImage(image: ImageRef): Promise<boolean> {
    if (!(await this.images()).some(({ ref }) => ref === image)) return false
    await this.client.within().getImage(image).remove({ force: true }).catch(unless(404))
    return true
  }

  isolate(): Promise<void> {
    return this.firewall.settle()
  }

  async forget(demo: DemoId): Promise<void> {
    const docker = this.client.within()
    const networks = await docker.listNetworks({ filters: this.mine(`${labels.demo}=${demo}`) })
    for (const { Id } of networks) await docker.getNetwork(Id).remove().catch(unless(404))
    await this.firewall.settle()
  }

  logs(
    id: InstanceId,
    after: LogCursor | undefined,
    signal: AbortSignal,
  ): AsyncIterable<LogLine & { cursor: LogCursor }> {
    return followLog(this.client, id, after, { maxBytes: this.limits.logLineBytes }, signal)
  }

  async *exits(signal: AbortSignal): AsyncIterable<InstanceExit> {
    const filters = { event: ['die'], ...this.mine() }
    for await (const id of containerEvents(this.client, filters, signal)) {
      const exit = id && (await this.exitOf(id))
      if (exit) yield exit
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** How an instance ended. A failed query must not end the stream of exits, because the next round asks again. */
  private async exitOf(id: InstanceId): Promise<InstanceExit | undefined> {
    try {
      return (await this.find(id))?.exit
    } catch (error) {
      log.error(`how instance ${id} ended could not be asked; the next round does`, error)
      return undefined
    }
  }

  private async imagesWithin(signal?: AbortSignal): Promise<readonly Image[]> {
    const found = await this.client.within(signal).listImages({ filters: this.mine() })
    return found.map(({ Id, Labels }) => ({
      ref: Id as ImageRef,
      demo: Labels[labels.demo] as DemoId,
      deployment: Labels[labels.deployment] as DeploymentId,
    }))
  }

  /** A container of ours, found by id or name, as it is now. */
  private async inspect(id: string, docker: Docker): Promise<Instance | undefined> {
    const found = await docker.getContainer(id).inspect().catch(unless(404))
    return found && containerInstance(found, this.owner)
  }

  /** Makes the network of a demo during its first build, which takes longer. One whose build fails gets none. */
  private async besideNetwork<Result>(
    demo: DemoId,
    policy: NetworkPolicy,
    signal: AbortSignal,
    build: () => Promise<Result>,
  ): Promise<Result> {
    const made = this.network(demo, policy, this.client.within(signal)).catch((error: unknown) => {
      if (!signal.aborted) log.error('the network of a demo was not made yet; its start tries again', error)
      return undefined
    })
    try {
      return await build()
    } catch (error) {
      const network = await made
      if (network) await this.client.within().getNetwork(network).remove().catch(unless(403, 404))
      throw error
    } finally {
      await made
    }
  }

  /** Makes the network of a demo. Resolves to its id, or undefined when it was there already. */
  private async network(demo: DemoId, policy: NetworkPolicy, docker: Docker): Promise<string | undefined> {
    const Labels = { [labels.owner]: this.owner, [labels.demo]: demo }
    const Name = networkName(this.owner, demo, policy)
    const there = await docker.listNetworks({ filters: this.mine(`${labels.demo}=${demo}`) })
    if (there.some((network) => network.Name === Name)) return undefined
    const Options = { 'com.docker.network.bridge.name': interfaceName(this.owner, policy, demo) }
    const made = docker.createNetwork({ Name, Driver: 'bridge', Labels, Options, CheckDuplicate: true })
    return (await made.catch(unless(409)))?.id
  }

  private mine(...more: string[]): { label: string[] } {
    return { label: [`${labels.owner}=${this.owner}`, ...more] }
  }
}

const unless =
  (...statuses: number[]) =>
  (error: unknown): undefined => {
    if (!statuses.includes(httpStatusOf(error) ?? 0)) throw error
    return undefined
  }
