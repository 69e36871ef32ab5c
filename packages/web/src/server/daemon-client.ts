import { X509Certificate } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { checkServerIdentity as checkNames, type PeerCertificate } from 'node:tls'
import { readEvents } from '@origami/host/read-events'
import { readTls, type TlsFiles } from '@origami/host/tls-files'
import { type Client, endpointClient, type Outgoing, Refusal, type Unread } from '@origami/protocol/client'
import {
  type Answer,
  type AnswerOf,
  addressHeader,
  type ControlEvent,
  controlEvent,
  type DaemonApi,
  type DaemonHealth,
  type DemoDetail,
  type Deployment,
  daemonApi,
  demoStats,
  type EndpointRequest,
  type QueueView,
  type results,
  visitorHeader,
} from '@origami/protocol/control'
import { Gone, type VisitorId } from '@origami/protocol/demo'
import { type AnswersItself, HttpPredictor, LinkClient } from '@origami/serving'
import { Agent, buildConnector, type Dispatcher, request } from 'undici'
import { z } from 'zod'
import type { WebConfig, WebLimits } from './config.ts'

const statsList = z.object({ demos: z.array(demoStats.pick({ demo_id: true, runs: true })) })

/** The daemon refused a request. It keeps the status and the message. */
export class DaemonRefused extends Error implements AnswersItself {
  override readonly name = 'DaemonRefused'
  readonly statusCode: number
  readonly answer: AnswersItself['answer']
  constructor(statusCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.statusCode = statusCode
    this.answer = { error: message }
  }
}

/** The messages for callers of a demo, which do not reveal the daemon's address. */
const demoMessages = {
  away: 'The daemon does not answer.',
  missing: 'This demo was not deployed yet; its owner deploys it on its page.',
}

/** The client of the daemon, over mutual TLS. Throws Gone when it does not answer. */
export class DaemonClient implements AsyncDisposable {
  private readonly config: WebConfig['daemon']
  private readonly limits: WebLimits
  private readonly within: (() => Duplex) | undefined
  private agent: Agent
  private link: LinkClient
  /** Earlier agents whose requests have not ended. */
  private readonly closing = new Set<Agent>()
  private shown: X509Certificate | undefined

  private constructor(
    config: WebConfig['daemon'],
    limits: WebLimits,
    tls: TlsFiles,
    within: (() => Duplex) | undefined,
  ) {
    this.config = config
    this.limits = limits
    this.within = within
    this.agent = this.connect(tls)
    this.link = this.linkOver(this.agent)
  }

  /** The limits are read at each use. `within` opens a link to a daemon in the same process. */
  static async open(config: WebConfig['daemon'], limits: WebLimits, within?: () => Duplex): Promise<DaemonClient> {
    if (!config.url.startsWith('https://'))
      throw new Error(`expected the daemon at an https:// address, since it is told secrets; got ${config.url}`)
    return new DaemonClient(config, limits, await readTls(config.tls), within)
  }

  /** Reads the certificate again. Requests under way end on their present connection. */
  async reopen(): Promise<void> {
    const tls = await readTls(this.config.tls)
    const before = this.agent
    this.link.retire()
    this.agent = this.connect(tls)
    this.link = this.linkOver(this.agent)
    this.closing.add(before)
    // An agent that was destroyed meanwhile needs no closing.
    void before
      .close()
      .catch(() => undefined)
      .then(() => this.closing.delete(before))
  }

  /**
   * Closes every connection, since a broken network is not noticed by itself. Requests under way fail now, and later
   * ones connect again.
   */
  async reconnect(): Promise<void> {
    const tls = await readTls(this.config.tls)
    const before = [this.agent, ...this.closing]
    this.link[Symbol.dispose]()
    this.agent = this.connect(tls)
    this.link = this.linkOver(this.agent)
    await Promise.all(before.map((agent) => agent.destroy()))
  }

  /** The daemon's present certificate, read from a new request. */
  async certificate(): Promise<X509Certificate> {
    await this.call('GET /certificate', {})
    if (!this.shown) throw new Error('the daemon answered without showing a certificate')
    return this.shown
  }

  /** Asks the daemon for a certificate request of a new key, in PEM. */
  async requestCertificate(): Promise<string> {
    return (await this.call('POST /certificate/request', {})).request
  }

  /** Sends the daemon the certificate that was signed for its request. */
  async giveCertificate(certificate: string): Promise<void> {
    await this.call('PUT /certificate', { body: { certificate } })
  }

  async trigger(user: string, link: string, token: string | null): Promise<{ demo: string; deployment: string }> {
    const body = { user_access_token: token, user_id: user, remote_repo_link: link }
    const { demo_id, deployment_id } = await this.call('POST /deploy_trigger', { body })
    return { demo: demo_id, deployment: deployment_id }
  }

  /** Undefined: the daemon does not know the demo. */
  async detail(demo: string): Promise<DemoDetail | undefined> {
    return this.call('GET /stats/:demo', { params: { demo } }).catch(unlessMissing)
  }

  /** Newest first. Empty: the daemon does not know the demo. */
  async deployments(demo: string): Promise<Deployment[]> {
    const found = await this.call('GET /demos/:demo/deployments', { params: { demo } }).catch(unlessMissing)
    return found?.deployments ?? []
  }

  health(): Promise<DaemonHealth> {
    return this.call('GET /health', {})
  }

  /** Whether the daemon answers at all. */
  async answers(): Promise<boolean> {
    return this.health().then(
      () => true,
      () => false,
    )
  }

  async stats(): Promise<{ demo_id: string; runs: number }[]> {
    return statsList.parse(await this.api().call('GET /stats', {}).catch(refused)).demos
  }

  async queue(demo: string): Promise<QueueView> {
    return this.call('GET /demos/:demo/queue', { params: { demo } })
  }

  /** Cancels what waits. Returns how many waited. */
  async emptyQueue(demo: string): Promise<number> {
    return (await this.call('DELETE /demos/:demo/queue', { params: { demo } })).canceled
  }

  async stop(demo: string): Promise<void> {
    await this.call('POST /demos/:demo/stop', { params: { demo } })
  }

  async start(demo: string): Promise<void> {
    await this.call('POST /demos/:demo/start', { params: { demo } })
  }

  async cancel(deployment: string): Promise<void> {
    await this.call('POST /deployments/:id/cancel', { params: { id: deployment } })
  }

  async remove(demo: string): Promise<void> {
    await this.call('DELETE /demos/:demo', { params: { demo } }).catch(unlessMissing)
  }

  /** A page of this visitor's results, newest first: those before `before`, or the newest. */
  async results(demo: string, visitor: VisitorId, before?: number): Promise<z.infer<typeof results>> {
    return this.call('GET /demos/:demo/results', { params: { demo }, query: { visitor, before: before?.toString() } })
  }

  /** Throws DaemonRefused with 404 when it is not this visitor's, or has not ended. */
  async forgetResult(demo: string, id: string, visitor: VisitorId): Promise<void> {
    await this.call('DELETE /demos/:demo/results/:id', { params: { demo, id }, query: { visitor } })
  }

  /** The bytes of the log as they come, and its present end. */
  async logs(
    demo: string,
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): Promise<{ body: AsyncIterable<Uint8Array>; size: string }> {
    const sent = { params: { demo }, query: { offset: String(offset), follow: follow ? '1' : undefined } }
    const { body, headers } = await this.api(0).send('GET /logs/:demo', sent, { signal }).catch(refused)
    return { body, size: headers.get('origami-log-size') ?? '0' }
  }

  /**
   * Resolves once the stream is open, to the events after number `seq`, until the signal aborts. Throws when the
   * connection ends, or is silent for too long.
   */
  async events(seq: number, signal: AbortSignal): Promise<AsyncIterable<ControlEvent>> {
    const sent = { query: { after: String(seq) } }
    const { body } = await this.api(this.limits.silenceMs).send('GET /events', sent, { signal }).catch(refused)
    return controlEvents(body)
  }

  /** A demo called in the name of a visitor, or without one on its owner's behalf. */
  predictor(demo: string, who: { readonly visitor: VisitorId; readonly address?: string } | undefined): HttpPredictor {
    const headers = (): Record<string, string> => ({
      ...(who?.address ? { [addressHeader]: who.address } : {}),
      ...(who ? { [visitorHeader]: who.visitor } : {}),
    })
    const base = `${this.config.url}/demos/${demo}`
    const messages = demoMessages
    const linked = { demo, visitor: who?.visitor, address: who?.address || undefined }
    const { agent: dispatcher, link, deadlines } = this
    return new HttpPredictor({ base, name: 'the daemon', dispatcher, link, linked, headers, deadlines, messages })
  }

  private readonly deadlines = () => ({ answerMs: this.limits.callAnswerMs, idleMs: this.limits.callIdleMs })

  private linkOver(dispatcher: Agent): LinkClient {
    const { deadlines, within } = this
    return new LinkClient({ origin: this.config.url, dispatcher, deadlines, within })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.link[Symbol.dispose]()
    await Promise.all([this.agent, ...this.closing].map((agent) => agent.destroy()))
  }

  private connect({ ca, cert, key }: TlsFiles): Agent {
    const checkServerIdentity = (host: string, peer: PeerCertificate) => {
      this.shown = new X509Certificate(peer.raw)
      return checkNames(host, peer)
    }
    // Without session resumption each connection presents the current certificate.
    const tls = { ca, cert, key, checkServerIdentity, maxCachedSessions: 0 }
    // Made for each connection, since the limit may change. A daemon that is silent during the TLS handshake counts as
    // away, too.
    const connect: buildConnector.connector = (to, done) =>
      buildConnector({ ...tls, timeout: this.limits.daemonAnswerMs })(to, done)
    return new Agent({ connect, bodyTimeout: 0 })
  }

  private answerMs(method: Dispatcher.HttpMethod): number {
    return method === 'GET'
      ? this.limits.daemonAnswerMs
      : Math.max(this.limits.daemonChangeMs, this.limits.daemonAnswerMs)
  }

  /** Calls an endpoint, and checks its answer by the endpoint's schema. */
  private async call<Key extends keyof DaemonApi>(
    key: Key,
    sent: EndpointRequest<DaemonApi[Key]>,
  ): Promise<AnswerOf<DaemonApi[Key]>> {
    const [expected] = Object.values<Answer>(daemonApi[key].answers)
    if (!(expected?.body instanceof z.ZodType)) throw new TypeError(`${key} answers no JSON`)
    const read = expected.body.safeParse(await this.api().call(key, sent).catch(refused))
    if (read.success) return read.data as AnswerOf<DaemonApi[Key]>
    throw new DaemonRefused(502, 'The daemon answered with something that is not understood.', { cause: read.error })
  }

  /**
   * A client of the daemon's table. `bodyTimeout` is how long an answer may be silent, if that differs from the usual
   * limit.
   */
  private api(bodyTimeout?: number): Client<DaemonApi, DaemonAnswer> {
    return endpointClient((request) => this.transport(request, bodyTimeout))
  }

  private async transport({ path, ...outgoing }: Outgoing, bodyTimeout?: number): Promise<DaemonAnswer> {
    const method = outgoing.method as Dispatcher.HttpMethod
    const within = this.answerMs(method)
    const timeouts = { headersTimeout: within, bodyTimeout: bodyTimeout ?? within }
    const options = { ...outgoing, method, dispatcher: this.agent, ...timeouts }
    const response = await request(`${this.config.url}${path}`, options).catch((cause: unknown) => {
      if (outgoing.signal?.aborted) throw cause
      throw new Gone('The daemon does not answer.', { cause })
    })
    return new DaemonAnswer(response)
  }
}

/** An answer of the daemon that was not read yet. */
class DaemonAnswer implements Unread {
  readonly body: AsyncIterable<Uint8Array>
  readonly status: number
  private readonly response: Dispatcher.ResponseData

  constructor(response: Dispatcher.ResponseData) {
    this.response = response
    this.body = response.body
    this.status = response.statusCode
  }

  readonly headers = {
    get: (name: string): string | null => {
      const value = this.response.headers[name]
      return value === undefined ? null : String(value)
    },
  }

  text(): Promise<string> {
    return this.response.body.text().catch((cause: unknown) => {
      throw new Gone('The daemon broke off in the middle of its answer.', { cause })
    })
  }
}

/** Turns the daemon's refusal, or an answer that is no JSON, into an error for the caller of the web server. */
function refused(error: unknown): never {
  if (error instanceof Refusal)
    throw new DaemonRefused(error.status, error.serverMessage ?? `the daemon answered ${error.status}`, {
      cause: error,
    })
  if (error instanceof SyntaxError)
    throw new DaemonRefused(502, 'The daemon answered with something that is no JSON.', { cause: error })
  throw error
}

async function* controlEvents(body: AsyncIterable<Uint8Array>): AsyncIterable<ControlEvent> {
  for await (const { data } of readEvents(body)) yield controlEvent.parse(JSON.parse(data))
}

/** Undefined for what the daemon does not know. */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DaemonRefused && error.statusCode === 404)) throw error
}
