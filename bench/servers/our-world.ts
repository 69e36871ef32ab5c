import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { processesWith } from '@origami/host/process-groups'
import type { Person } from '../../tests/person.ts'
import { World } from '../../tests/world.ts'
import { cpuMs, processTree, rssBytes, Server } from './server.ts'
import { unthrottled } from './unthrottled.ts'

const root = join(import.meta.dirname, '../..')

/**
 * The processes that a prediction passes. The shim looks after the runtime, and the worker has the model.
 */
export const hops = ['web', 'daemon', 'shim', 'runtime', 'worker'] as const
export type Hop = (typeof hops)[number]

export interface OurWorldOptions {
  readonly engine?: 'process' | 'docker'
  /** Modules that web server and daemon import before everything else. */
  readonly imports?: readonly string[]
}

/** Web server and daemon as two processes, and demos on the process engine unless it is told otherwise. */
export class OurWorld implements AsyncDisposable {
  readonly world: World
  readonly owner: Person
  private readonly web: Server

  private constructor(world: World, owner: Person, web: Server) {
    this.world = world
    this.owner = owner
    this.web = web
  }

  static async start({ engine = 'process', imports = [] }: OurWorldOptions = {}): Promise<OurWorld> {
    await using opened = new AsyncDisposableStack()
    const flags = imports.flatMap((module) => ['--import', module])
    const world = opened.use(await World.start({ engine, settings: unthrottled, daemonFlags: flags }))
    // This web server alone has the secrets of the forge where people sign in.
    const owner = await world.person('ann')
    await world.stopWeb()
    const web = opened.use(await startWeb(world, flags))
    opened.move()
    return new OurWorld(world, owner, web)
  }

  /** The url of the demo at the web server, and of its runtime. */
  async deploy(model: string, name: string, concurrency = 1): Promise<Demo> {
    const files = { '.origami': `concurrency: ${concurrency}\n` }
    const link = await this.world.push(model, 'ann', { name, ...(concurrency === 1 ? {} : { files }) })
    const { address } = await this.owner.call('POST /-/api/demos', { body: { link } })
    for (;;) {
      const page = await this.owner.page(address)
      if (page.state === 'failed') throw new Error(`${name} failed: ${JSON.stringify(page.detail)}`)
      const port = page.detail?.port
      if (page.state === 'running' && port)
        return { address, url: `${this.world.url}${address}`, runtimeUrl: `http://127.0.0.1:${port}` }
      await setTimeout(100)
    }
  }

  /** The web server goes on, and the demos do too. */
  async whileDaemonIsStopped(work: () => void): Promise<void> {
    await this.world.stopDaemon()
    work()
    await this.world.startDaemon()
    const [demo] = (await this.owner.call('GET /-/api/demos', {})).demos
    while (demo && (await this.owner.page(demo.address)).state !== 'running') await setTimeout(100)
  }

  /** What a module of `imports` tells. */
  async told<Told>(hop: Hop): Promise<Told> {
    return JSON.parse(await text(connect(join(this.world.folder, `${hop}.sock`))))
  }

  /** What `probe.mjs` tells: of the time since it was asked last. */
  async probed(hop: 'web' | 'daemon'): Promise<Probed> {
    return this.told(hop)
  }

  /** CPU time so far by hop; of all demos. */
  async cpuMs(): Promise<Record<Hop, number>> {
    return this.sum(cpuMs)
  }

  async rssBytes(): Promise<Record<Hop, number>> {
    return this.sum(rssBytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.web[Symbol.asyncDispose]()
    await this.world[Symbol.asyncDispose]()
  }

  /** Of the processes of each hop together. */
  async sum(measure: (pid: number) => Promise<number>): Promise<Record<Hop, number>> {
    const found = { web: 0, daemon: 0, shim: 0, runtime: 0, worker: 0 }
    for (const { pid, command } of await this.processes()) {
      const hop = hopOf(command)
      // A process may have ended since.
      if (hop) found[hop] += await measure(pid).catch(() => 0)
    }
    return found
  }

  /** The process of a hop that there is one of. */
  async pid(hop: Hop): Promise<number> {
    const found = (await this.processes()).find(({ command }) => hopOf(command) === hop)
    if (!found) throw new Error(`expected that the ${hop} runs`)
    return found.pid
  }

  /** All that have its folder in their command line, with what they started. */
  private async processes(): Promise<{ pid: number; command: string }[]> {
    const named = await processesWith('cmdline', (entry) => entry.includes(this.world.folder))
    const trees = await Promise.all(named.map(({ pid }) => processTree(pid)))
    return [...new Map(trees.flat().map((one) => [one.pid, one])).values()]
  }
}

/** A module that tells of stalls and memory. */
export const probe = join(import.meta.dirname, 'probe.mjs')

interface Probed {
  /** How long the event loop stood still at most. */
  readonly stallMs: number
  readonly rssBytes: number
  /** What is used of it. */
  readonly usedBytes: number
}

export interface Demo {
  readonly address: string
  /** Of its API at the web server. */
  readonly url: string
  readonly runtimeUrl: string
}

/** By the command line of a process. Undefined: it is another one. */
export function hopOf(command: string): Hop | undefined {
  if (/main\.ts web /.test(command)) return 'web'
  if (/main\.ts daemon /.test(command)) return 'daemon'
  if (/shim\.sh |^dd bs=/.test(command)) return 'shim'
  if (/origami\/server\.mjs/.test(command)) return 'runtime'
  return /worker\.mjs|^\S*python/.test(command) ? 'worker' : undefined
}

function startWeb(world: World, flags: readonly string[]): Promise<Server> {
  const forges = ['--forges', join(world.folder, 'forges.json')]
  const at = ['--data', world.folder, '--port', new URL(world.url).port, '--daemon', world.daemonUrl]
  const trust = world.engine === 'process' ? ['--trust-demos'] : []
  const program = ['--import', './scripts/node24.mjs', 'packages/cli/src/main.ts', 'web']
  const web = [...flags, ...program, ...at, ...forges, ...trust]
  return Server.start(world.url, [process.execPath, ...web], { cwd: root })
}
