import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { logger } from '@origami/host/logger'
import { isAlive, startTime } from '@origami/host/process-identity'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { defaultLimits, type Environment } from '../../config.ts'
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
import { changesOf } from './changes-of.ts'
import { FolderChanges } from './folder-changes.ts'
import { ImageFolders } from './image-folders.ts'
import { readInstanceLog } from './instance-log.ts'
import { endInstanceProcesses, endShims, endStrays } from './instance-processes.ts'
import { inputsName, programSpec } from './program-spec.ts'
import {
  type ExitRecord,
  exitSchema,
  type InstanceRecord,
  instanceSchema,
  readJson,
  shimOf,
  unlessOutOfFiles,
  writeWhole,
} from './records.ts'
import { ShimCopy } from './shim-copy.ts'

const log = logger('engine')

export interface ProcessEngineOptions {
  readonly folder: string
  /** The random id of the state folder. Processes that a build left running are found by it. */
  readonly owner: string
  /** The daemon's environment. Instances and installers get the part that they need. */
  readonly environment: Environment
  readonly limits?: EngineLimits
}

/**
 * Runs instances as programs on this machine under the daemon's account, for code that its operator trusts. It promises
 * no isolation.
 */
export class ProcessEngine implements Engine {
  readonly name = 'process'
  readonly guarantees = guaranteesOf.process
  readonly unisolated = 'the process engine isolates nothing'
  private readonly owner: string
  private readonly environment: Environment
  private readonly limits: EngineLimits
  private readonly imageFolders: ImageFolders
  private readonly instances: string
  private readonly shim: ShimCopy
  private readonly starting = new Map<InstanceId, Promise<Instance>>()

  constructor({ folder, owner, environment, limits = defaultLimits }: ProcessEngineOptions) {
    this.owner = owner
    this.environment = environment
    this.limits = limits
    this.imageFolders = new ImageFolders(join(folder, 'images'), { owner, environment, home: join(folder, 'home') })
    this.instances = join(folder, 'instances')
    this.shim = new ShimCopy(join(folder, 'shim'))
  }

  /** Images are in the state folder. */
  async imageStore(): Promise<undefined> {}

  /** Nothing is cached. */
  async dropCaches(): Promise<void> {}

  async ready(): Promise<void> {
    await endLeftovers(this.owner, this.limits.killMs)
    await this.imageFolders.open()
    await mkdir(this.instances, { recursive: true, mode: 0o700 })
    await this.shim.write()
    for (const id of await this.ids()) {
      await this.endHalfStarted(id)
      // Finding an instance also ends what a shim that is gone left running.
      await this.find(id)
    }
  }

  build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    return this.imageFolders.build(request, signal)
  }

  async start(request: StartRequest, signal: AbortSignal): Promise<Instance> {
    signal.throwIfAborted()
    const id = instanceId(request.demo, request.deployment)
    const starting =
      this.starting.get(id) ?? this.startOnce(id, request, signal).finally(() => this.starting.delete(id))
    this.starting.set(id, starting)
    return starting
  }

  private async startOnce(id: InstanceId, request: StartRequest, signal: AbortSignal): Promise<Instance> {
    const { demo, deployment, image } = request
    await this.endHalfStarted(id)
    const before = await this.find(id)
    if (before) return before
    const folder = this.folder(id)
    await mkdir(join(folder, inputsName), { recursive: true, mode: 0o700 })
    const nonce = crypto.randomUUID()
    const program = programSpec(request, folder, nonce, this.environment, this.limits)
    // The record is written before the start, so that the next daemon finds by the nonce what a dying daemon started.
    const intent = { demo, deployment, image, nonce }
    await writeWhole(join(folder, 'about.json'), JSON.stringify(intent))
    signal.throwIfAborted()
    const pid = await this.shim.start(folder, nonce, program)
    await writeWhole(join(folder, 'about.json'), JSON.stringify({ ...intent, pid, started: startTime(pid) ?? '' }))
    return { id, demo, deployment, image, state: 'running', endpoint: undefined }
  }

  /** Throws Error when a process of it does not end although it was killed. */
  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const about = await this.about(id)
    if (!about) return false
    const stopped = await endInstanceProcesses(id, about, graceMs, this.limits.killMs)
    // A shim that was killed records nothing, and who waits for the exit is to hear of it.
    await this.find(id)
    return stopped
  }

  async remove(id: InstanceId): Promise<boolean> {
    if (!existsSync(this.folder(id))) return false
    await this.endHalfStarted(id)
    await this.stop(id, 0)
    // What is written into the folder meanwhile is removed by another try.
    await rm(this.folder(id), { recursive: true, force: true, maxRetries: 3 })
    return true
  }

  async find(id: InstanceId): Promise<Instance | undefined> {
    const about = await this.about(id)
    const shim = shimOf(about)
    if (!about || !shim) return undefined
    const { demo, deployment, image } = about
    // The shim writes it last, and is alive for a moment longer.
    const recorded = await this.exitRecord(id, about)
    if (!recorded && isAlive(shim)) {
      // The runtime writes this file once it listens.
      const port = await readFile(join(this.folder(id), 'port'), 'utf8').catch(unlessOutOfFiles(undefined))
      return { id, demo, deployment, image, state: 'running', endpoint: port && `http://127.0.0.1:${port}` }
    }
    const record = recorded ?? (await this.exitRecord(id, about)) ?? (await this.exitWithoutShim(id, about))
    if (!record) return { id, demo, deployment, image, state: 'running', endpoint: undefined }
    const exit = { id, code: record.code, outOfMemory: false, at: new Date(record.at) }
    return { id, demo, deployment, image, state: 'exited', endpoint: undefined, exit }
  }

  watch(id: InstanceId, signal: AbortSignal): AsyncIterable<Instance> {
    return changesOf(this.folder(id), () => this.find(id), signal)
  }

  /** An instance runs under the daemon's account, and may write there. */
  inputFolder(demo: DemoId, deployment: DeploymentId): InputFolder {
    return { path: join(this.folder(instanceId(demo, deployment)), inputsName), isReadOnly: false }
  }

  async instancesOf(demo: DemoId): Promise<readonly Instance[]> {
    const ids = (await this.ids()).filter((id) => id.startsWith(idPrefix(demo)))
    return (await this.findAll(ids)).filter((instance) => instance.demo === demo)
  }

  async list(): Promise<readonly Instance[]> {
    return this.findAll(await this.ids())
  }

  images(): Promise<readonly Image[]> {
    return this.imageFolders.list()
  }

  removeImage(image: ImageRef): Promise<boolean> {
    return this.imageFolders.remove(image)
  }

  /** This engine promises nothing of the kind. */
  async isolate(): Promise<void> {}

  /** A demo has nothing in this engine besides its images and instances. */
  async forget(): Promise<void> {}

  async *logs(
    id: InstanceId,
    after: LogCursor | undefined,
    signal: AbortSignal,
  ): AsyncIterable<LogLine & { cursor: LogCursor }> {
    const ended = async () => (await this.find(id))?.state !== 'running'
    yield* readInstanceLog(this.folder(id), after, this.limits.logLineBytes, ended, signal)
  }

  async *exits(signal: AbortSignal): AsyncIterable<InstanceExit> {
    const reported = new Set<InstanceId>(
      (await this.list()).filter(({ state }) => state === 'exited').map(({ id }) => id),
    )
    using changes = new FolderChanges((name, folder) => name === 'exit.json' || folder === this.instances)
    while (!signal.aborted) {
      const folders = (await this.ids()).map((id) => this.folder(id))
      const seen = changes.watch([this.instances, ...folders])
      for (const { id, exit } of await this.list()) {
        if (!exit) reported.delete(id)
        else if (!reported.has(id)) {
          reported.add(id)
          yield exit
        }
      }
      await changes.after(seen, signal)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Ends what a daemon started without recording it, because it died in between. The shim is found by its nonce. */
  private async endHalfStarted(id: InstanceId): Promise<void> {
    const about = await this.about(id)
    if (!about || about.pid !== undefined) return
    await endShims(about.nonce, this.limits.killMs)
    await rm(this.folder(id), { recursive: true, force: true })
  }

  /**
   * A killed shim writes no exit record, which a round finds. The instance counts as exited once none of its processes
   * is left. Undefined: some are left, which is logged.
   */
  private async exitWithoutShim(id: InstanceId, about: InstanceRecord): Promise<ExitRecord | undefined> {
    try {
      await endStrays(id, about, this.limits.killMs)
    } catch (error) {
      log.error(`instance ${id} lost its shim, and runs on`, error)
      return undefined
    }
    const record = { code: null, at: new Date().toISOString(), nonce: about.nonce }
    // On a full disk this record is not written. The next call finds out the same again.
    await writeWhole(join(this.folder(id), 'exit.json'), JSON.stringify(record)).catch(() => undefined)
    return record
  }

  private async findAll(ids: readonly InstanceId[]): Promise<Instance[]> {
    const found = await Promise.all(ids.map((id) => this.find(id)))
    return found.filter((instance) => instance !== undefined)
  }

  private async ids(): Promise<InstanceId[]> {
    // Before the engine is ready the folder does not exist, and there are no instances.
    return (await readdir(this.instances).catch(unlessOutOfFiles([]))) as InstanceId[]
  }

  private about(id: InstanceId): Promise<InstanceRecord | undefined> {
    return readJson(join(this.folder(id), 'about.json'), instanceSchema)
  }

  private async exitRecord(id: InstanceId, { nonce }: InstanceRecord): Promise<ExitRecord | undefined> {
    const record = await readJson(join(this.folder(id), 'exit.json'), exitSchema)
    return record?.nonce === undefined || record.nonce === nonce ? record : undefined
  }

  private folder(id: InstanceId): string {
    return join(this.instances, id)
  }
}

const instanceId = (demo: DemoId, deployment: DeploymentId) => `${idPrefix(demo)}${deployment}` as InstanceId

/** The beginning of the ids of a demo's instances. Ids of another demo may begin the same way. */
const idPrefix = (demo: DemoId): string => `${demo.slice(0, 8)}-`
