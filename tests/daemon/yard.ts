import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Daemon, type DaemonConfig, defaultLimits, type Limits, startDaemon } from '@origami/daemon'
import { readEvents } from '@origami/host/read-events'
import { type Client, endpointClient, type Outgoing } from '@origami/protocol/client'
import {
  type ControlEvent,
  type DaemonApi,
  type DemoDetail,
  type Deployment,
  type DeploymentState,
  isEnded,
} from '@origami/protocol/control'
import { type PredictionSnapshot, randomId } from '@origami/protocol/demo'
import { ensureCertificates } from '@origami/web'
import { bundle } from 'origami-lib/bundler'
import { Agent, type Dispatcher, request } from 'undici'
import { expect, vi } from 'vitest'
import { GitSource } from '../../packages/daemon/src/source/git.ts'
import { Repositories } from '../fake-github/repositories.ts'
import { removeOwned } from '../world.ts'
import { HeldEngine, HeldSource, type Hold } from './held.ts'

const models = join(import.meta.dirname, '../demos')

/**
 * A daemon of its own in a temporary folder, with a folder of repositories as its forge, and holds to stop a deploy
 * where a test wants it.
 */
export class DaemonYard implements AsyncDisposable {
  readonly folder: string
  readonly engine: HeldEngine
  readonly source: HeldSource
  /** The places at which deploys stop until the test lets them go on. */
  readonly holds = new Set<Hold>()
  /** Milliseconds that the daemon's clock is ahead. */
  ahead = 0
  private readonly repositories: Repositories
  private limits: Partial<Limits>
  private daemon: Daemon | undefined
  private agent: Agent | undefined

  /** Removes what is left in Docker, and the rules of the firewall. */
  private readonly removeLeft: () => Promise<void>

  private constructor(folder: string, limits: Partial<Limits>, engine: 'process' | 'docker') {
    this.folder = folder
    this.limits = limits
    this.repositories = new Repositories(join(folder, 'forge'))
    const owner = randomId()
    this.removeLeft = async () => {
      if (engine === 'docker') await removeOwned(owner)
    }
    this.engine = new HeldEngine(engine, join(folder, 'engine'), owner, this.holds, { ...defaultLimits, ...limits })
    this.source = new HeldSource(
      new GitSource({ work: join(folder, 'daemon/work'), owner, environment: process.env }),
      this.holds,
    )
  }

  static async open(limits: Partial<Limits> = {}, engine: 'process' | 'docker' = 'process'): Promise<DaemonYard> {
    const yard = new DaemonYard(await mkdtemp(join(tmpdir(), 'origami-yard-')), limits, engine)
    await ensureCertificates(yard.folder)
    await yard.start()
    return yard
  }

  get config(): DaemonConfig {
    const tls = (name: string) => join(this.folder, 'daemon/tls', name)
    return {
      data: join(this.folder, 'daemon'),
      host: '127.0.0.1',
      port: 0,
      tls: { ca: tls('ca.pem'), cert: tls('cert.pem'), key: tls('key.pem') },
      engine: 'process',
      forges: [{ host: 'folder.test', kind: 'folder', git: pathToFileURL(join(this.folder, 'forge')).href }],
      environment: process.env,
      limits: { ...defaultLimits, reconcileMs: 200, ...this.limits },
    }
  }

  /** Starts the daemon, with some limits changed from here on. */
  async start(limits: Partial<Limits> = {}): Promise<void> {
    const { engine, source } = this
    this.limits = { ...this.limits, ...limits }
    this.daemon = await startDaemon(this.config, { engine, source, clock: () => Date.now() + this.ahead })
    const pem = (name: string) => readFile(join(this.folder, 'web/tls', name))
    this.agent = new Agent({
      connect: { ca: await pem('ca.pem'), cert: await pem('cert.pem'), key: await pem('key.pem') },
    })
  }

  get running(): Daemon {
    if (!this.daemon) throw new Error('the daemon is away')
    return this.daemon
  }

  /** Ends the daemon; demos run on. */
  async leave(): Promise<void> {
    await this.agent?.destroy()
    await this.daemon?.[Symbol.asyncDispose]()
    this.daemon = undefined
  }

  /** Pushes a model, bundled, with some files changed, and then `change` on its folder. Returns its link. */
  async push(
    name: string,
    files: Record<string, string | null> = {},
    model = 'gated',
    change: (folder: string) => Promise<void> = async () => {},
  ): Promise<string> {
    const work = await mkdtemp(join(tmpdir(), 'origami-push-'))
    await cp(join(models, model), work, { recursive: true })
    await bundle({ folder: work, force: true, run: false, onLog: () => {} }, new AbortController().signal)
    for (const [path, text] of Object.entries(files))
      await (text === null ? rm(join(work, path), { recursive: true }) : writeFile(join(work, path), text))
    await change(work)
    await this.repositories.make('ann', name, false)
    await this.repositories.push('ann', name, work, name)
    await rm(work, { recursive: true })
    return `https://folder.test/ann/${name}`
  }

  /** Puts one file of a bundle beside the model: what `push` takes. */
  static async model(change: (source: string) => string): Promise<Record<string, string>> {
    return { 'model.ts': change(await readFile(join(models, 'gated/model.ts'), 'utf8')) }
  }

  /** The daemon by its table, for what should work. Throws Refusal. */
  readonly call: Client<DaemonApi>['call'] = endpointClient<DaemonApi>(async (outgoing) => {
    const { statusCode, body } = await this.send(outgoing)
    return new Response(await body.text(), { status: statusCode })
  }).call

  /** One answer, whatever its status. */
  async ask<Answer>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await this.send({ method, path, headers: { ...headers, ...type }, ...sent })
    const text = await answer.body.text()
    const json = text.startsWith('{') ? JSON.parse(text) : text
    return { status: answer.statusCode, headers: answer.headers, body: json as Answer }
  }

  private async send({ path, method, ...outgoing }: Outgoing): Promise<Dispatcher.ResponseData> {
    if (!this.daemon || !this.agent) throw new Error('the daemon is away')
    return request(this.daemon.url + path, {
      ...outgoing,
      method: method as Dispatcher.HttpMethod,
      dispatcher: this.agent,
    })
  }

  /** Every event from the first on, until the reader leaves. */
  async *events(after = 0): AsyncIterable<ControlEvent> {
    if (!this.daemon || !this.agent) throw new Error('the daemon is away')
    const gone = new AbortController()
    const { body } = await request(`${this.daemon.url}/events?after=${after}`, {
      dispatcher: this.agent,
      signal: gone.signal,
    })
    body.on('error', () => {})
    try {
      for await (const { data } of readEvents(body)) yield JSON.parse(data)
    } finally {
      gone.abort()
    }
  }

  async trigger(link: string, user = 'ann'): Promise<{ demo: string; deployment: string }> {
    const body = { user_access_token: null, user_id: user, remote_repo_link: link }
    const { demo_id, deployment_id } = await this.call('POST /deploy_trigger', { body })
    return { demo: demo_id, deployment: deployment_id }
  }

  async detail(demo: string): Promise<DemoDetail & { deployments: Deployment[] }> {
    const params = { demo }
    const { deployments } = await this.call('GET /demos/:demo/deployments', { params })
    return { ...(await this.call('GET /stats/:demo', { params })), deployments }
  }

  /** The deployment once it is in a state; by default, once it runs or ended. */
  async deployment(demo: string, id: string, ...states: DeploymentState[]) {
    return vi.waitFor(
      async () => {
        const found = (await this.detail(demo)).deployments.find((entry) => entry.id === id)
        const there =
          found &&
          (states.length > 0 ? states.includes(found.state) : found.state === 'running' || isEnded(found.state))
        expect(there, `${found?.state}: ${found?.reason}`).toBe(true)
        return found as NonNullable<typeof found>
      },
      { timeout: 60_000, interval: 50 },
    )
  }

  /** Pushes, deploys, and waits until it runs or ended. */
  async deploy(...what: Parameters<DaemonYard['push']>) {
    const { demo, deployment } = await this.trigger(await this.push(...what))
    return { demo, deployment: await this.deployment(demo, deployment) }
  }

  async submit(demo: string, input: Record<string, unknown>, visitor = 'visitor-1'): Promise<string> {
    const headers = { prefer: 'respond-async', 'origami-visitor': visitor }
    const { status, body } = await this.ask<PredictionSnapshot>(
      'POST',
      `/demos/${demo}/predictions`,
      { input },
      headers,
    )
    expect(status, JSON.stringify(body)).toBe(202)
    return body.id
  }

  /** The prediction once it satisfies `done`; by default, once it ended. */
  async prediction(demo: string, id: string, done = ({ completed_at }: PredictionSnapshot) => completed_at !== null) {
    return vi.waitFor(async () => {
      const { body } = await this.ask<PredictionSnapshot>('GET', `/demos/${demo}/predictions/${id}`)
      expect(done(body), `${id} is ${body.status}`).toBe(true)
      return body
    })
  }

  /** Resolves after some more whole rounds of looking after what should be. */
  async rounds(more: number): Promise<void> {
    const { rounds } = this.engine
    await vi.waitFor(() => expect(this.engine.rounds).toBeGreaterThan(rounds + more))
  }

  async log(demo: string): Promise<string> {
    return (await this.ask<string>('GET', `/logs/${demo}`)).body
  }

  /** What is left of deploys and demos on this machine. */
  async remains(): Promise<{ instances: number; images: number; checkouts: string[] }> {
    const [instances, images] = [await this.engine.list(), await this.engine.images()]
    const checkouts = await readdir(join(this.folder, 'daemon/work'))
    return { instances: instances.length, images: images.length, checkouts }
  }

  /** A gate for the model `gated`: predictions wait until it is open. */
  gate(name = 'gate') {
    const path = join(this.folder, name)
    return {
      path,
      open: () => writeFile(path, ''),
      /** The words of the predictions that began to run, in order. */
      runs: async () => (await readFile(`${path}.runs`, 'utf8').catch(() => '')).split('\n').slice(0, -1),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.holds.clear()
    await this.leave()
    this.engine.faults.clear()
    for (const { id } of await this.engine.list()) await this.engine.remove(id)
    for (const { ref } of await this.engine.images()) await this.engine.removeImage(ref)
    await this.removeLeft()
    await rm(this.folder, { recursive: true, force: true })
  }
}
