import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { family, kill, processesWith, signalGroup, untilGone } from '@origami/host/process-groups'
import { type Identity, isAlive, startTime } from '@origami/host/process-identity'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { z } from 'zod'
import { defaultLimits } from '../../config.ts'
import { endLeftovers } from '../../state/leftovers.ts'
import type {
  BuildRequest,
  Engine,
  EngineLimits,
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
import { instanceEnvironment } from '../instance-environment.ts'
import { aboutImage, prepareFolder } from './build.ts'
import { readInstanceLog } from './instance-log.ts'

/** `about.json` of an instance. Of the shim: its id, when it started, and a word that is in its arguments. */
const aboutSchema = z.object({
  demo: z.string().transform((id) => id as DemoId),
  deployment: z.string().transform((id) => id as DeploymentId),
  image: z.string().transform((ref) => ref as ImageRef),
  nonce: z.string(),
  /** Absent: it was about to be started. */
  pid: z.number().int().positive().optional(),
  started: z.string().default(''),
})
type About = z.infer<typeof aboutSchema>

const exitSchema = z.object({ code: z.number().nullable(), at: z.iso.datetime() })
const imageSchema = aboutSchema.pick({ demo: true, deployment: true })

/** What the shim is, in the folders of this source. */
const shimFiles = ['engine/process/shim.ts', 'logs/lines.ts']
const exitPollMs = 250
/** In the environment of an instance and of what it starts, with its nonce: they are found by it when their shim is gone. */
const instanceVariable = 'ORIGAMI_INSTANCE'

export interface ProcessEngineOptions {
  readonly folder: string
  /** The random id of the state folder: what a build left running is found by it. */
  readonly owner: string
  readonly limits?: EngineLimits
}

/** Programs on this machine, under the daemon's account: for one's own code. Promises no isolation. */
export class ProcessEngine implements Engine {
  readonly name = 'process'
  readonly guarantees: Guarantees = { limits: false, isolation: false, exitReasons: false, gpus: false, dockerfile: false }
  private readonly owner: string
  private readonly limits: EngineLimits
  private readonly imageFolders: string
  private readonly instances: string
  private readonly shim: string
  /** Of builds that are under way. */
  private readonly building = new Set<string>()
  private readonly starting = new Map<InstanceId, Promise<Instance>>()

  constructor({ folder, owner, limits = defaultLimits }: ProcessEngineOptions) {
    this.owner = owner
    this.limits = limits
    this.imageFolders = join(folder, 'images')
    this.instances = join(folder, 'instances')
    this.shim = join(folder, 'shim')
  }

  async ready(): Promise<void> {
    await endLeftovers(this.owner, this.limits.killMs)
    await mkdir(this.imageFolders, { recursive: true, mode: 0o700 })
    await mkdir(this.instances, { recursive: true, mode: 0o700 })
    await this.copyShim()
    await this.removeHalfBuilt()
    for (const id of await this.ids()) {
      await this.endHalfStarted(id)
      // It ends what a shim that is gone left.
      await this.find(id)
    }
  }

  /** Each attempt has a folder of its own; it is an image once it says whose it is. */
  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    const { demo, deployment } = request
    const before = (await this.images()).find((image) => image.deployment === deployment)
    if (before) return before.ref
    const image = join(this.imageFolders, `${deployment}-${crypto.randomUUID().slice(0, 8)}`)
    this.building.add(image)
    try {
      await prepareFolder(request, this.owner, image, signal)
      await writeWhole(join(image, aboutImage), JSON.stringify({ demo, deployment }))
      return image as ImageRef
    } catch (error) {
      await rm(image, { recursive: true, force: true })
      throw error
    } finally {
      this.building.delete(image)
    }
  }

  async start(request: StartRequest, signal: AbortSignal): Promise<Instance> {
    signal.throwIfAborted()
    const id = `${request.demo.slice(0, 8)}-${request.deployment}` as InstanceId
    const starting = this.starting.get(id) ?? this.startOnce(id, request, signal).finally(() => this.starting.delete(id))
    this.starting.set(id, starting)
    return starting
  }

  private async startOnce(id: InstanceId, request: StartRequest, signal: AbortSignal): Promise<Instance> {
    const { demo, deployment, image, spec } = request
    await this.endHalfStarted(id)
    const before = await this.find(id)
    if (before) return before
    const folder = this.folder(id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const command = process.execPath
    const nonce = crypto.randomUUID()
    const own = this.environment(image, folder)
    const env = { ...instanceEnvironment(spec), ...own, [instanceVariable]: nonce }
    const args = [join(image, 'origami/server.mjs')]
    const { logLineBytes: lineBytes, unreadLogBytes: logBytes } = this.limits
    await writeWhole(join(folder, 'spec.json'), JSON.stringify({ command, args, cwd: image, env, lineBytes, logBytes }))
    // Written before it is started: what a daemon that dies now leaves is found by the nonce.
    const intent = { demo, deployment, image, nonce }
    await writeWhole(join(folder, 'about.json'), JSON.stringify(intent))
    signal.throwIfAborted()
    const pid = await this.startShim(folder, nonce, own.PATH ?? '')
    await writeWhole(join(folder, 'about.json'), JSON.stringify({ ...intent, pid, started: startTime(pid) ?? '' }))
    return { id, demo, deployment, image, state: 'running', endpoint: undefined }
  }

  /** Throws Error when something of it does not end although it was killed. */
  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const about = await this.about(id)
    const shim = identityOf(about)
    if (!about || !shim) return false
    if (!isAlive(shim)) return this.endOrphans(id, about)
    const before = await family(shim)
    signalGroup(shim, 'SIGTERM')
    await untilGone([shim], graceMs)
    const members = [...new Map([...before, ...(await family(shim))].map((one) => [one.pid, one])).values()]
    await this.end(id, members)
    await this.endOrphans(id, about)
    return true
  }

  async remove(id: InstanceId): Promise<boolean> {
    if (!existsSync(this.folder(id))) return false
    await this.endHalfStarted(id)
    await this.stop(id, 0)
    await rm(this.folder(id), { recursive: true, force: true })
    return true
  }

  async find(id: InstanceId): Promise<Instance | undefined> {
    const about = await this.about(id)
    const shim = identityOf(about)
    if (!about || !shim) return undefined
    const { demo, deployment, image } = about
    if (isAlive(shim)) {
      const port = await readFile(join(this.folder(id), 'port'), 'utf8').catch(() => undefined)
      return { id, demo, deployment, image, state: 'running', endpoint: port && `http://127.0.0.1:${port}` }
    }
    const record = (await readJson(join(this.folder(id), 'exit.json'), exitSchema)) ?? (await this.exitWithoutShim(id, about))
    if (!record) return { id, demo, deployment, image, state: 'running', endpoint: undefined }
    const exit = { id, code: record.code, outOfMemory: false, at: new Date(record.at) }
    return { id, demo, deployment, image, state: 'exited', endpoint: undefined, exit }
  }

  async list(): Promise<readonly Instance[]> {
    const found = await Promise.all((await this.ids()).map((id) => this.find(id)))
    return found.filter((instance) => instance !== undefined)
  }

  async images(): Promise<readonly Image[]> {
    const images: Image[] = []
    for (const name of await readdir(this.imageFolders).catch(() => [])) {
      const ref = join(this.imageFolders, name) as ImageRef
      const about = await readJson(join(ref, aboutImage), imageSchema)
      if (about) images.push({ ref, ...about })
    }
    return images
  }

  async removeImage(image: ImageRef): Promise<boolean> {
    if (dirname(image) !== this.imageFolders || !existsSync(image)) return false
    await rm(image, { recursive: true, force: true })
    return true
  }

  /** A demo has nothing here besides its images and instances. */
  async forget(): Promise<void> {}

  async *logs(id: InstanceId, after: LogCursor | undefined, signal: AbortSignal): AsyncIterable<LogLine & { cursor: LogCursor }> {
    const ended = async () => (await this.find(id))?.state !== 'running'
    yield* readInstanceLog(this.folder(id), after, this.limits.logLineBytes, ended, signal)
  }

  async *exits(signal: AbortSignal): AsyncIterable<InstanceExit> {
    const told = new Set<InstanceId>((await this.list()).filter(({ state }) => state === 'exited').map(({ id }) => id))
    while (!signal.aborted) {
      for (const { id, exit } of await this.list()) {
        if (!exit) told.delete(id)
        else if (!told.has(id)) {
          told.add(id)
          yield exit
        }
      }
      await setTimeout(exitPollMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private async copyShim(): Promise<void> {
    for (const file of shimFiles) {
      await mkdir(join(this.shim, dirname(file)), { recursive: true, mode: 0o700 })
      await copyFile(join(import.meta.dirname, '../..', file), join(this.shim, file))
    }
    await writeFile(join(this.shim, 'package.json'), '{ "type": "module" }')
  }

  /** Resolves to its process id. Throws Error when it cannot be started. */
  private async startShim(folder: string, nonce: string, path: string): Promise<number> {
    const shim = spawn(process.execPath, [join(this.shim, 'engine/process/shim.ts'), folder, nonce], {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
      env: { PATH: path },
    })
    await once(shim, 'spawn')
    shim.unref()
    return shim.pid as number
  }

  /** Removes what builds of daemons that are gone left half done. */
  private async removeHalfBuilt(): Promise<void> {
    for (const name of await readdir(this.imageFolders)) {
      const image = join(this.imageFolders, name)
      if (!this.building.has(image) && !existsSync(join(image, aboutImage))) await rm(image, { recursive: true, force: true })
    }
  }

  /** Ends what a daemon started that died before it wrote down what: the shim is found by its nonce. */
  private async endHalfStarted(id: InstanceId): Promise<void> {
    const about = await this.about(id)
    if (!about || about.pid !== undefined) return
    for (const shim of await processesWith('cmdline', (word) => word === about.nonce)) {
      const members = await family(shim)
      for (const one of members) kill(one)
      await untilGone(members, this.limits.killMs)
    }
    await rm(this.folder(id), { recursive: true, force: true })
  }

  /** A shim that was killed wrote no record: the instance is exited once nothing of it is left. Undefined: something is, and this says so. */
  private async exitWithoutShim(id: InstanceId, about: About): Promise<z.infer<typeof exitSchema> | undefined> {
    try {
      await this.endOrphans(id, about)
    } catch (error) {
      console.error(`instance ${id} lost its shim, and runs on`, error)
      return undefined
    }
    const record = { code: null, at: new Date().toISOString() }
    // On a full disk it is not written; the next look finds the same again.
    await writeWhole(join(this.folder(id), 'exit.json'), JSON.stringify(record)).catch(() => undefined)
    return record
  }

  /** Kills what has the instance's mark, whoever its parent is by now. False: there was nothing. */
  private async endOrphans(id: InstanceId, { nonce }: About): Promise<boolean> {
    const patience = AbortSignal.timeout(this.limits.killMs)
    for (let found = false; ; found = true) {
      const orphans = await processesWith('environ', (word) => word === `${instanceVariable}=${nonce}`)
      if (orphans.length === 0) return found
      if (patience.aborted)
        throw new Error(`instance ${id} starts processes faster than they are killed; a restart of the host ends them`)
      await this.end(id, orphans)
    }
  }

  private async end(id: InstanceId, members: readonly Identity[]): Promise<void> {
    for (const one of members) kill(one)
    const left = await untilGone(members, this.limits.killMs)
    if (left.length === 0) return
    const ids = left.map(({ pid }) => pid).join(', ')
    throw new Error(`processes ${ids} of instance ${id} do not end although they were killed; a restart of the host ends them`)
  }

  private async ids(): Promise<InstanceId[]> {
    return (await readdir(this.instances).catch(() => [])) as InstanceId[]
  }

  private about(id: InstanceId): Promise<About | undefined> {
    return readJson(join(this.folder(id), 'about.json'), aboutSchema)
  }

  /** Nothing of the daemon's own but the way to programs. */
  private environment(image: string, folder: string): Record<string, string> {
    const python = join(image, '.venv/bin/python')
    return {
      PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: folder,
      LANG: 'C.UTF-8',
      PORT: '0',
      ORIGAMI_HOST: '127.0.0.1',
      ORIGAMI_PORT_FILE: join(folder, 'port'),
      ORIGAMI_FILES: join(folder, 'files'),
      ORIGAMI_PYTHON: existsSync(python) ? python : 'python3',
    }
  }

  private folder(id: InstanceId): string {
    return join(this.instances, id)
  }
}

const identityOf = (about: About | undefined): Identity | undefined =>
  about?.pid === undefined ? undefined : { pid: about.pid, started: about.started }

/** A file that is there as a whole, or not at all. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Undefined when it is not there, or not what it should be: a demo runs under the same account and can write it. */
async function readJson<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema> | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    console.error(`${path} is not what it should be; it is passed over`, error)
    return undefined
  }
}
