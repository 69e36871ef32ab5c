import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { type Client, endpointClient, type Outgoing } from '@origami/protocol/client'
import type { DemoPage, PredictionApi, WebApi } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { execa } from 'execa'
import { bundle } from 'origami-lib/bundler'
import { expect, vi } from 'vitest'
import { OwnerSession } from '../packages/cli/src/owner-session.ts'
import { Repositories } from './fake-github/repositories.ts'
import { placeOf } from './person.ts'
import { type ServingVerb, startOrigamiVerb } from './verb.ts'

const root = join(import.meta.dirname, '..')
/** Two small networks of this process's own: us and the web server, the web server and the daemon. */
const net = `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`
const [us, web, webToDaemon, daemon] = [`${net}.1`, `${net}.2`, `${net}.5`, `${net}.6`]

/** A web server and a daemon as two processes in two network namespaces, with a link between them that can be cut. */
export class TwoHosts implements AsyncDisposable {
  readonly folder: string
  readonly spaces: { readonly web: string; readonly daemon: string }
  private readonly repositories: Repositories
  private readonly opened = new AsyncDisposableStack()
  private token = ''
  /** The web server by its table, as its owner. */
  readonly api: Client<WebApi> = endpointClient((outgoing) => this.send(outgoing))
  web!: ServingVerb
  daemon!: ServingVerb

  private constructor(folder: string) {
    this.folder = folder
    this.spaces = { web: `origami-web-${process.pid}`, daemon: `origami-gpu-${process.pid}` }
    this.repositories = new Repositories(join(folder, 'forge'))
  }

  /** `limits`: of the web server and the daemon, as flags. */
  static async open(limits: { web: string[]; daemon: string[] }): Promise<TwoHosts> {
    const hosts = new TwoHosts(await mkdtemp(join(tmpdir(), 'origami-two-hosts-')))
    try {
      await hosts.connect()
      await hosts.start(limits)
      return hosts
    } catch (error) {
      await hosts[Symbol.asyncDispose]()
      throw error
    }
  }

  private async connect(): Promise<void> {
    const { spaces, opened } = this
    for (const space of [spaces.web, spaces.daemon]) {
      await ip('netns', 'add', space)
      opened.defer(() => ip('netns', 'del', space))
      await ip('-n', space, 'link', 'set', 'lo', 'up')
    }
    const ours = `ori${process.pid}`
    await ip('link', 'add', ours, 'type', 'veth', 'peer', 'name', 'people', 'netns', spaces.web)
    await ip(
      'link',
      'add',
      'cable',
      'netns',
      spaces.web,
      'type',
      'veth',
      'peer',
      'name',
      'cable',
      'netns',
      spaces.daemon,
    )
    await ip('addr', 'add', `${us}/30`, 'dev', ours)
    await ip('link', 'set', ours, 'up')
    await this.address(spaces.web, 'people', web)
    await this.address(spaces.web, 'cable', webToDaemon)
    await this.address(spaces.daemon, 'cable', daemon)
  }

  private async address(space: string, device: string, address: string): Promise<void> {
    await ip('-n', space, 'addr', 'add', `${address}/30`, 'dev', device)
    await ip('-n', space, 'link', 'set', device, 'up')
  }

  private async start(limits: { web: string[]; daemon: string[] }): Promise<void> {
    const { folder, spaces, opened } = this
    const forges = join(folder, 'forges.json')
    const git = pathToFileURL(join(folder, 'forge')).href
    await writeFile(forges, JSON.stringify([{ host: 'folder.test', kind: 'folder', git }]))
    const certificates = join(folder, 'certificates')
    const main = join(root, 'packages/cli/src/main.ts')
    const made = ['certificates', '--daemon', daemon, '--data', join(folder, 'web'), '--out', certificates]
    await execa(process.execPath, [main, ...made])
    const inside = (space: string) => ({ within: ['ip', 'netns', 'exec', space] })
    const limitFlags = limits.daemon.flatMap((limit) => ['--limit', limit])
    const daemonFlags = [
      '--data',
      join(folder, 'gpu'),
      '--host',
      daemon,
      '--certificates',
      certificates,
      '--engine',
      'process',
      '--trust-demos',
    ]
    this.daemon = await startOrigamiVerb(
      'daemon',
      [...daemonFlags, '--forges', forges, ...limitFlags],
      /The daemon listens at (\S+)/,
      inside(spaces.daemon),
    )
    opened.use(this.daemon)
    const webFlags = [
      '--data',
      join(folder, 'web'),
      '--host',
      web,
      '--daemon',
      this.daemon.url,
      '--forges',
      forges,
      '--trust-demos',
    ]
    const webLimits = limits.web.flatMap((limit) => ['--limit', limit])
    this.web = await startOrigamiVerb('web', [...webFlags, ...webLimits], /Origami is at (\S+)/, inside(spaces.web))
    opened.use(this.web)
    const { stdout: link } = await execa(process.execPath, [main, 'owner-link', '--data', join(folder, 'web')])
    const owner = await OwnerSession.open(this.web.url, link)
    this.token = (await owner.call('POST /-/api/tokens', { body: { name: 'test' } })).token
  }

  /** Nothing passes between web server and daemon any more, and no connection is told so. */
  async cut(): Promise<void> {
    await ip('-n', this.spaces.daemon, 'link', 'set', 'cable', 'down')
  }

  async join(): Promise<void> {
    await ip('-n', this.spaces.daemon, 'link', 'set', 'cable', 'up')
  }

  /** Pushes the gated model, bundled; `needs` is its package.json. Returns its link. */
  async push(name: string, needs?: object): Promise<string> {
    const work = join(this.folder, `push-${name}`)
    await cp(join(root, 'tests/demos/gated'), work, { recursive: true })
    const model = await readFile(join(work, 'model.ts'), 'utf8')
    await writeFile(join(work, 'model.ts'), model.replace("title: 'Gated',", "title: 'Gated',\n  concurrency: 3,"))
    await bundle({ folder: work, force: true, run: false, onLog: () => {} }, new AbortController().signal)
    if (needs) await writeFile(join(work, 'package.json'), JSON.stringify(needs))
    await this.repositories.make('ann', name, false)
    await this.repositories.push('ann', name, work, name)
    return `https://folder.test/ann/${name}`
  }

  /**
   * A package for npm, served on the daemon's host, that comes once `gate` is there. Returns its address; `asked`
   * resolves when a build waits for it.
   */
  async slowPackage(gate: string): Promise<{ url: string; asked: Promise<void> }> {
    const tarball = join(this.folder, 'slow.tgz')
    await mkdir(join(this.folder, 'package'))
    await writeFile(join(this.folder, 'package/package.json'), JSON.stringify({ name: 'slow', version: '1.0.0' }))
    await execa('tar', ['-czf', tarball, '-C', this.folder, 'package'])
    const script = join(import.meta.dirname, 'slow-package.mjs')
    const inside = ['netns', 'exec', this.spaces.daemon, process.execPath, script, tarball, gate]
    const server = spawn('ip', inside, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.opened.defer(() => ended(server))
    const lines = createInterface(server.stdout as Readable)[Symbol.asyncIterator]()
    const port = String((await lines.next()).value).replace('port ', '')
    return { url: `http://127.0.0.1:${port}/slow.tgz`, asked: lines.next().then(() => undefined) }
  }

  private send({ path, ...request }: Outgoing): Promise<Response> {
    const headers = { ...request.headers, authorization: `Bearer ${this.token}` }
    return fetch(this.web.url + path, { ...request, headers })
  }

  /** A demo's API by its table, at the demo's address. */
  demo(address: string): Client<PredictionApi> {
    return endpointClient(({ path, ...request }) => this.send({ ...request, path: address + path }))
  }

  async deploy(link: string): Promise<string> {
    return (await this.api.call('POST /-/api/demos', { body: { link, public: true } })).address
  }

  page(address: string): Promise<DemoPage> {
    return this.api.call('GET /-/api/demos/:account/:name', { params: placeOf(address) })
  }

  /** Waits until it runs, as the daemon itself says. */
  async runs(address: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const { state, detail } = await this.page(address)
        expect([state, detail?.status]).toEqual(['running', 'running'])
      },
      { timeout: 60_000, interval: 100 },
    )
  }

  submit(address: string, input: Record<string, unknown>): Promise<PredictionSnapshot> {
    return this.demo(address).call('POST /predictions', { body: { input } }, { headers: { prefer: 'respond-async' } })
  }

  async prediction(address: string, id: string, status: string): Promise<PredictionSnapshot> {
    return vi.waitFor(
      async () => {
        const snapshot = await this.demo(address).call('GET /predictions/:id', { params: { id } })
        expect(snapshot.status).toBe(status)
        return snapshot
      },
      { interval: 100 },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened.disposeAsync()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

async function ip(...args: string[]): Promise<void> {
  await execa('ip', args)
}

/**
 * The link is cut while three predictions run and a deploy builds, for as long as `whileCut` takes; then joined:
 * nothing is lost, and pages say what is so.
 */
export async function cutAndJoin(hosts: TwoHosts, whileCut: () => Promise<void>): Promise<void> {
  const address = await hosts.deploy(await hosts.push('gated'))
  await hosts.runs(address)
  const gate = join(hosts.folder, 'gate')
  const submitted = await Promise.all(['one', 'two', 'three'].map((word) => hosts.submit(address, { word, gate })))
  for (const { id } of submitted) await hosts.prediction(address, id, 'processing')
  const slow = await hosts.slowPackage(join(hosts.folder, 'build-gate'))
  const built = await hosts.deploy(await hosts.push('built', { private: true, dependencies: { slow: slow.url } }))
  await slow.asked

  await hosts.cut()
  await hosts.web.printed('The daemon cannot be followed', 90_000)
  // Work that was under way ends while the link is cut and nobody can be told.
  await Promise.all(['gate', 'build-gate'].map((name) => writeFile(join(hosts.folder, name), '')))
  expect(await hosts.page(address)).toMatchObject({ state: 'running', detail: null })
  expect((await hosts.page(built)).state).not.toBe('running')
  const lost = hosts.demo(address).call('POST /predictions', { body: { input: { word: 'lost?' } } })
  await expect(lost).rejects.toMatchObject({ name: 'Refusal', status: 503 })
  await whileCut()

  await hosts.join()
  await hosts.web.printed('The daemon is followed again')
  for (const [index, word] of ['one', 'two', 'three'].entries()) {
    const { output } = await hosts.prediction(address, submitted[index]?.id ?? '', 'succeeded')
    expect(output).toBe(`${word}, version 1`)
  }
  expect((await readFile(`${gate}.runs`, 'utf8')).trim().split('\n').sort()).toEqual(['one', 'three', 'two'])
  await hosts.runs(built)
  expect(await hosts.page(address)).toMatchObject({ state: 'running', detail: { status: 'running' } })
}
