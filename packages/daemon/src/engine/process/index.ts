import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { DemoId, DeploymentId } from '@origami/protocol/demo'
import { startTime } from '../../state/start-time.ts'
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
import { prepareFolder } from './build.ts'
import { readInstanceLog } from './instance-log.ts'
import { family, kill, signalGroup } from './processes.ts'

/** `about.json` of an instance. */
interface About {
  readonly demo: DemoId
  readonly deployment: DeploymentId
  readonly image: ImageRef
  /** Of the shim: its id, when it started, and a word that is in its arguments. */
  readonly pid: number
  readonly started: string
  readonly nonce: string
}

const exitPollMs = 250

/** Programs on this machine, under the daemon's account: for one's own code. Promises no isolation. */
export class ProcessEngine implements Engine {
  readonly name = 'process'
  readonly guarantees: Guarantees = { limits: false, isolation: false, exitReasons: false, gpus: false, dockerfile: false }
  private readonly images_: string
  private readonly instances: string
  private readonly shim: string

  constructor({ folder }: { folder: string; owner: string }) {
    this.images_ = join(folder, 'images')
    this.instances = join(folder, 'instances')
    this.shim = join(folder, 'shim.mjs')
  }

  async ready(): Promise<void> {
    await mkdir(this.images_, { recursive: true, mode: 0o700 })
    await mkdir(this.instances, { recursive: true, mode: 0o700 })
    await copyFile(join(import.meta.dirname, 'shim.mjs'), this.shim)
  }

  async build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef> {
    const { demo, deployment } = request
    const image = this.imageFolder(deployment)
    const about = join(image, '.image.json')
    if (existsSync(about)) return image as ImageRef
    try {
      await prepareFolder(request, image, signal)
      await writeFile(about, JSON.stringify({ demo, deployment }))
      return image as ImageRef
    } catch (error) {
      await rm(image, { recursive: true, force: true })
      throw error
    }
  }

  async start({ demo, deployment, image, spec }: StartRequest): Promise<Instance> {
    const id = `${demo.slice(0, 8)}-${deployment}` as InstanceId
    const before = await this.find(id)
    if (before) return before
    const folder = this.folder(id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const command = process.execPath
    const env = this.environment(image, folder, spec.name)
    await writeFile(
      join(folder, 'spec.json'),
      JSON.stringify({ command, args: [join(image, 'origami/server.mjs')], cwd: image, env }),
    )
    const nonce = crypto.randomUUID()
    const shim = spawn(command, [this.shim, folder, nonce], {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
      env: { PATH: env.PATH },
    })
    const { pid = 0 } = shim
    shim.unref()
    const about: About = { demo, deployment, image, pid, started: startTime(pid) ?? '', nonce }
    await writeFile(join(folder, 'about.json'), JSON.stringify(about))
    return { id, demo, deployment, image, state: 'running', endpoint: undefined }
  }

  async stop(id: InstanceId, graceMs: number): Promise<boolean> {
    const about = await this.about(id)
    if (!about || !this.isRunning(about)) return false
    const all = family(about.pid)
    signalGroup(about.pid, 'SIGTERM')
    const patience = AbortSignal.timeout(graceMs)
    while (this.isRunning(about) && !patience.aborted) await setTimeout(20)
    for (const pid of [...family(about.pid), ...all]) if (this.isRunning(about) || all.includes(pid)) kill(pid)
    while (this.isRunning(about)) await setTimeout(20)
    return true
  }

  async remove(id: InstanceId): Promise<boolean> {
    if (!existsSync(this.folder(id))) return false
    await this.stop(id, 0)
    await rm(this.folder(id), { recursive: true, force: true })
    return true
  }

  async find(id: InstanceId): Promise<Instance | undefined> {
    const about = await this.about(id)
    if (!about) return undefined
    const { demo, deployment, image } = about
    if (this.isRunning(about)) {
      const port = await readFile(join(this.folder(id), 'port'), 'utf8').catch(() => undefined)
      return { id, demo, deployment, image, state: 'running', endpoint: port && `http://127.0.0.1:${port}` }
    }
    const record = await readFile(join(this.folder(id), 'exit.json'), 'utf8').catch(() => undefined)
    const { code = null, at } = record ? (JSON.parse(record) as { code: number | null; at: string }) : {}
    const exit = { id, code, outOfMemory: false, at: new Date(at ?? Date.now()) }
    return { id, demo, deployment, image, state: 'exited', endpoint: undefined, exit }
  }

  async list(): Promise<readonly Instance[]> {
    const found = await Promise.all((await readdir(this.instances).catch(() => [])).map((id) => this.find(id as InstanceId)))
    return found.filter((instance) => instance !== undefined)
  }

  async images(): Promise<readonly Image[]> {
    const images: Image[] = []
    for (const name of await readdir(this.images_).catch(() => [])) {
      const ref = join(this.images_, name) as ImageRef
      const about = await readFile(join(ref, '.image.json'), 'utf8').catch(() => undefined)
      if (about) images.push({ ref, ...(JSON.parse(about) as Pick<Image, 'demo' | 'deployment'>) })
    }
    return images
  }

  async removeImage(image: ImageRef): Promise<boolean> {
    if (!image.startsWith(`${this.images_}/`) || !existsSync(image)) return false
    await rm(image, { recursive: true, force: true })
    return true
  }

  /** A demo has nothing here besides its images and instances. */
  async forget(): Promise<void> {}

  async *logs(id: InstanceId, after: LogCursor | undefined, signal: AbortSignal): AsyncIterable<LogLine & { cursor: LogCursor }> {
    const ended = async () => (await this.find(id))?.state !== 'running'
    yield* readInstanceLog(this.folder(id), after, ended, signal)
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

  private async about(id: InstanceId): Promise<About | undefined> {
    const text = await readFile(join(this.folder(id), 'about.json'), 'utf8').catch(() => undefined)
    return text ? (JSON.parse(text) as About) : undefined
  }

  private isRunning({ pid, started }: About): boolean {
    return started !== '' && startTime(pid) === started
  }

  /** Nothing of the daemon's own but the way to programs. */
  private environment(image: string, folder: string, name: string): Record<string, string> {
    const python = join(image, '.venv/bin/python')
    return {
      PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: folder,
      LANG: 'C.UTF-8',
      PORT: '0',
      ORIGAMI_HOST: '127.0.0.1',
      ORIGAMI_NAME: name,
      ORIGAMI_PORT_FILE: join(folder, 'port'),
      ORIGAMI_FILES: join(folder, 'files'),
      ORIGAMI_PYTHON: existsSync(python) ? python : 'python3',
      ORIGAMI_LOG: '/dev/stdout',
    }
  }

  private imageFolder(deployment: DeploymentId): string {
    return join(this.images_, deployment)
  }

  private folder(id: InstanceId): string {
    return join(this.instances, id)
  }
}
