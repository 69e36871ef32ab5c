import { readFile } from 'node:fs/promises'
import {
  type ControlEvent,
  controlEvent,
  type DemoDetail,
  type Deployment,
  demoDetail,
  deployAccepted,
  deploymentList,
  visitorHeader,
} from '@origami/protocol/control'
import { Gone, type PredictionSnapshot, predictionSnapshot, type VisitorId } from '@origami/protocol/demo'
import { HttpPredictor, readEvents, readPrivate } from '@origami/serving'
import { Agent, type Dispatcher, request } from 'undici'
import type { WebConfig } from './config.ts'

/** What the daemon refused: its status and words. */
export class DaemonRefused extends Error {
  override readonly name = 'DaemonRefused'
  readonly statusCode: number
  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/** The daemon, over mutual TLS. Throws Gone when it does not answer. */
export class DaemonClient implements AsyncDisposable {
  private readonly url: string
  private readonly agent: Agent

  private constructor(url: string, agent: Agent) {
    this.url = url
    this.agent = agent
  }

  static async open({ url, tls }: WebConfig['daemon']): Promise<DaemonClient> {
    const [ca, cert, key] = await Promise.all([readFile(tls.ca), readFile(tls.cert), readPrivate(tls.key)])
    return new DaemonClient(url, new Agent({ connect: { ca, cert, key }, bodyTimeout: 0 }))
  }

  async trigger(user: string, link: string, token: string | null): Promise<{ demo: string; deployment: string }> {
    const body = { user_access_token: token, user_id: user, remote_repo_link: link }
    const { demo_id, deployment_id } = deployAccepted.parse(await this.json('POST', '/deploy_trigger', body))
    return { demo: demo_id, deployment: deployment_id }
  }

  /** Undefined: it knows no such demo. */
  async detail(demo: string): Promise<DemoDetail | undefined> {
    try {
      return demoDetail.parse(await this.json('GET', `/stats/${demo}`))
    } catch (error) {
      if (error instanceof DaemonRefused && error.statusCode === 404) return undefined
      throw error
    }
  }

  /** Newest first. Empty: it knows no such demo. */
  async deployments(demo: string): Promise<Deployment[]> {
    try {
      return deploymentList.parse(await this.json('GET', `/demos/${demo}/deployments`)).deployments
    } catch (error) {
      if (error instanceof DaemonRefused && error.statusCode === 404) return []
      throw error
    }
  }

  async stop(demo: string): Promise<void> {
    await this.json('POST', `/demos/${demo}/stop`, {})
  }

  async start(demo: string): Promise<void> {
    await this.json('POST', `/demos/${demo}/start`, {})
  }

  async cancel(deployment: string): Promise<void> {
    await this.json('POST', `/deployments/${deployment}/cancel`, {})
  }

  async remove(demo: string): Promise<void> {
    await this.json('DELETE', `/demos/${demo}`).catch((error: unknown) => {
      if (!(error instanceof DaemonRefused && error.statusCode === 404)) throw error
    })
  }

  async results(demo: string, visitor: VisitorId): Promise<PredictionSnapshot[]> {
    const { predictions } = (await this.json('GET', `/demos/${demo}/results?visitor=${encodeURIComponent(visitor)}`)) as {
      predictions: unknown[]
    }
    return predictions.map((one) => predictionSnapshot.parse(one))
  }

  /** Throws DaemonRefused 404 for what is not this visitor's, or has not ended. */
  async forgetResult(demo: string, id: string, visitor: string): Promise<void> {
    await this.json('DELETE', `/demos/${demo}/results/${encodeURIComponent(id)}?visitor=${encodeURIComponent(visitor)}`)
  }

  /** The log's bytes as they come, and where they end now. */
  async logs(
    demo: string,
    offset: number,
    follow: boolean,
    signal: AbortSignal,
  ): Promise<{ body: AsyncIterable<Uint8Array>; size: string }> {
    const response = await this.send('GET', `/logs/${demo}?offset=${offset}${follow ? '&follow=1' : ''}`, undefined, signal)
    return { body: response.body, size: String(response.headers['origami-log-size'] ?? 0) }
  }

  /** What happens after number `seq`, until the signal aborts. Throws when the connection ends. */
  async *events(seq: number, signal: AbortSignal): AsyncIterable<ControlEvent> {
    const response = await this.send('GET', `/events?after=${seq}`, undefined, signal)
    for await (const { data } of readEvents(response.body)) yield controlEvent.parse(JSON.parse(data))
  }

  /** A demo as whoever asks calls it; without a visitor, on its owner's behalf. */
  predictor(demo: string, visitor: VisitorId | undefined): HttpPredictor {
    const headers: Record<string, string> = visitor ? { [visitorHeader]: visitor } : {}
    return new HttpPredictor({ base: `${this.url}/demos/${demo}`, dispatcher: this.agent, headers })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.destroy()
  }

  private async json(method: Dispatcher.HttpMethod, path: string, body?: unknown): Promise<unknown> {
    const response = await this.send(method, path, body)
    return response.body.json()
  }

  private async send(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const response = await request(`${this.url}${path}`, {
      method,
      dispatcher: this.agent,
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause
      throw new Gone('The daemon does not answer.', { cause })
    })
    if (response.statusCode < 300) return response
    const { error = `the daemon answered ${response.statusCode}` } = (await response.body.json().catch(() => ({}))) as {
      error?: string
    }
    throw new DaemonRefused(response.statusCode, error)
  }
}
