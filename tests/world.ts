import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ForgeEntry } from '@origami/protocol/control'
import { ensureCertificates, startWeb, type Web, type WebConfig, type WebLimits } from '@origami/web'
import Docker from 'dockerode'
import { execa } from 'execa'
import { bundle } from 'origami-lib/bundler'
import { changeRules, families, presentRules } from '../packages/daemon/src/engine/docker/firewall/iptables.ts'
import { scriptThatRemoves } from '../packages/daemon/src/engine/docker/firewall/script.ts'
import { type FakeGithub, startFakeGithub } from './fake-github/fake-github.ts'
import { freePort } from './free-port.ts'
import { Person } from './person.ts'

const root = join(import.meta.dirname, '..')

export interface WorldOptions {
  readonly engine: 'process' | 'docker'
  /** The networks in which demos elsewhere may run. */
  readonly networks?: string[]
  /** The limits of the web server. */
  readonly limits?: Partial<WebLimits>
  /** What `origami.yaml` says, for the daemon. */
  readonly settings?: string
  /** Other options of the web server that differ from the default. */
  readonly web?: Partial<WebConfig>
  /** A folder with the state of servers that ran before; it is copied. */
  readonly state?: string
  /** Mounts a file system in memory with these options as the daemon's folder: `size=64m,nr_inodes=20k`. Takes root. */
  readonly daemonDisk?: string
  /** Flags of Node for the daemon. */
  readonly daemonFlags?: readonly string[]
}

/**
 * A whole Origami in a temporary folder: a fake GitHub, the web server, the daemon as a process of its own, an engine.
 */
export class World implements AsyncDisposable {
  readonly github: FakeGithub
  readonly folder: string
  /** What the web server answers, as `GET /-/api/demos/:account`, without HEAD. */
  readonly routes = new Set<string>()
  readonly engine: 'process' | 'docker'
  private readonly ports: { web: number; daemon: number }
  private readonly options: WorldOptions
  private daemon: ChildProcess | undefined
  private web: Web | undefined

  private constructor(
    github: FakeGithub,
    folder: string,
    engine: 'process' | 'docker',
    ports: { web: number; daemon: number },
    options: WorldOptions,
  ) {
    this.options = options
    this.github = github
    this.folder = folder
    this.engine = engine
    this.ports = ports
  }

  static async start(options: WorldOptions): Promise<World> {
    const { engine, state, settings } = options
    const folder = await mkdtemp(join(tmpdir(), 'origami-world-'))
    if (state) await cp(state, folder, { recursive: true })
    const world = new World(
      await startFakeGithub(),
      folder,
      engine,
      { web: await freePort(), daemon: await freePort() },
      options,
    )
    if (options.daemonDisk) {
      await mkdir(join(folder, 'daemon'))
      await execa('mount', ['-t', 'tmpfs', '-o', options.daemonDisk, 'tmpfs', join(folder, 'daemon')])
    }
    for (const login of ['ann', 'bob']) await world.github.user(login)
    await ensureCertificates(folder)
    await writeFile(join(folder, 'forges.json'), JSON.stringify(world.forges))
    if (settings !== undefined) await writeFile(join(folder, 'origami.yaml'), settings)
    await world.startDaemon()
    await world.startWeb()
    return world
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.web}`
  }

  get daemonUrl(): string {
    return `https://127.0.0.1:${this.ports.daemon}`
  }

  /** The one-time link that signs in the owner. */
  ownerLink(): string {
    if (!this.web) throw new Error('the web server is away')
    return this.web.ownerLink()
  }

  /** Starts the daemon, or starts it again, and waits until it listens. */
  async startDaemon(): Promise<void> {
    // Who may deploy here are people of the test, and so is their code.
    const trust = this.engine === 'process' ? ['--trust-demos'] : process.getuid?.() === 0 ? [] : ['--unisolated']
    const place = ['--data', this.folder, '--daemon-port', String(this.ports.daemon)]
    const flags = [...place, '--engine', this.engine, ...trust]
    const program = [
      ...(this.options.daemonFlags ?? []),
      '--import',
      './scripts/node24.mjs',
      'packages/cli/src/main.ts',
      'daemon',
      ...flags,
      '--forges',
      join(this.folder, 'forges.json'),
    ]
    const daemon = spawn(process.execPath, program, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.daemon = daemon
    daemon.stderr.pipe(process.stderr)
    for await (const line of createInterface(daemon.stdout))
      if (line.includes('listens at')) return void daemon.stdout.resume()
    throw new Error('the daemon ended before it listened')
  }

  /** Resolves once the daemon is not there any more, whatever ended it, or when the signal aborts. */
  async untilDaemonEnds(signal: AbortSignal): Promise<void> {
    if (this.isDaemonThere && this.daemon) await once(this.daemon, 'exit', { signal }).catch(() => undefined)
  }

  get isDaemonThere(): boolean {
    return this.daemon?.exitCode === null && this.daemon.signalCode === null
  }

  /** Kills the daemon with SIGKILL. */
  async killDaemon(): Promise<void> {
    await this.endDaemon('SIGKILL')
  }

  /** Ends the daemon with SIGTERM. Demos run on. */
  async stopDaemon(): Promise<void> {
    await this.endDaemon('SIGTERM')
  }

  /** A half-open link: what connects to the daemon is taken, and nothing is answered until `thawDaemon`. */
  freezeDaemon(): void {
    this.daemon?.kill('SIGSTOP')
  }

  thawDaemon(): void {
    this.daemon?.kill('SIGCONT')
  }

  /** `change`: the options that differ this time. */
  async startWeb(change: Partial<WebConfig> = {}): Promise<void> {
    const tls = (name: string) => join(this.folder, 'web/tls', name)
    const config: WebConfig = {
      data: join(this.folder, 'web'),
      host: '127.0.0.1',
      port: this.ports.web,
      daemon: {
        url: this.daemonUrl,
        tls: { ca: tls('ca.pem'), cert: tls('cert.pem'), key: tls('key.pem') },
      },
      forges: this.forges,
      deployers: ['ann', 'bob'],
      networks: this.options.networks ?? [],
      limits: this.options.limits ?? {},
      ...this.options.web,
      ...change,
      ui: join(root, 'packages/web/dist/ui'),
    }
    const secrets = { oauth: { [this.github.forge.host]: this.github.oauth } }
    this.web = await startWeb(config, secrets, {
      onRoute: ({ method, url }) => {
        for (const one of [method].flat())
          if (one !== 'HEAD') this.routes.add(`${one} ${url.replace(/^(\/-\/assets\/).*/, '$1*')}`)
      },
    })
  }

  /** Puts limits of the web server in force while it runs. */
  configure(limits: Partial<WebLimits>): void {
    this.web?.configure(limits)
  }

  async stopWeb(): Promise<void> {
    await this.web?.[Symbol.asyncDispose]()
    this.web = undefined
  }

  /** Somebody with an account on the fake GitHub, signed in here. */
  async person(login: string): Promise<Person> {
    return Person.signIn(this.url, this.github, login)
  }

  /** Bundles a folder of this repository (`examples/poet`) as its author would and pushes it. Returns its link. */
  async push(
    model: string,
    owner: string,
    change: { files?: Record<string, string>; private?: boolean; name?: string } = {},
  ): Promise<string> {
    const work = await mkdtemp(join(tmpdir(), 'origami-push-'))
    try {
      const isSource = (path: string) => !/node_modules|__pycache__|\.venv/.test(path.slice(root.length))
      await cp(join(root, model), work, { recursive: true, filter: isSource })
      for (const [name, text] of Object.entries(change.files ?? {})) await writeFile(join(work, name), text)
      await bundle({ folder: work, force: true, run: false, onLog: () => {} }, new AbortController().signal)
      const name = change.name ?? basename(model)
      await this.github.repo(owner, name, { private: change.private ?? false })
      await this.github.push(owner, name, work, `${basename(model)}, bundled`)
      return `https://${this.github.forge.host}/${owner}/${name}`
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopWeb()
    await this.endDaemon('SIGINT')
    const left = await execa('pgrep', ['-af', this.folder], { reject: false })
    if (left.stdout !== '') throw new Error(`Ctrl-C ended the daemon, and left behind:\n${left.stdout}`)
    if (this.engine === 'docker') await removeOwned(await readFile(join(this.folder, 'daemon/owner'), 'utf8'))
    await this.github[Symbol.asyncDispose]()
    if (this.options.daemonDisk) await execa('umount', [join(this.folder, 'daemon')])
    await rm(this.folder, { recursive: true, force: true })
  }

  get forges(): ForgeEntry[] {
    return [this.github.forge]
  }

  private async endDaemon(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.daemon
    this.daemon = undefined
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return
    const exited = once(daemon, 'exit')
    daemon.kill(signal)
    await exited
  }
}

/** What a daemon of this owner left in Docker, of demos that were never removed. */
export async function removeOwned(owner: string): Promise<void> {
  const docker = new Docker()
  const filters = { label: [`io.origami.owner=${owner}`] }
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true })
  for (const { Id } of await docker.listImages({ filters })) await docker.getImage(Id).remove({ force: true })
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove()
  // Without root no rule was set.
  if (process.getuid?.() !== 0) return
  for (const family of families()) {
    const script = scriptThatRemoves(owner, await presentRules(family))
    if (script) await changeRules(family, script)
  }
}
