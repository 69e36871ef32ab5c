import { type Client, endpointClient, type Outgoing, parsedAnswer, Refusal } from '@origami/protocol/client'
import type { AnswerOf, EndpointRequest, WebApi } from '@origami/protocol/control'
import { env } from './env.ts'
import { Failure, Unreachable } from './failure.ts'
import { readSignedIn, tokenByHand } from './signed-in.ts'

/** Where the web server of `npm start` is. */
const nearby = 'http://127.0.0.1:8000'

/**
 * The web server's own API, as whoever the token stands for. Without a token: as anyone, who changes nothing but by
 * signing in.
 */
export class Api {
  readonly url: string
  private readonly token: string | undefined
  /** Somebody is meant to be signed in: a refusal without a token says how. */
  private readonly forAccount: boolean
  private readonly client: Client<WebApi>

  constructor(url: string, token?: string, { forAccount = false }: { forAccount?: boolean } = {}) {
    this.url = url
    this.token = token
    this.forAccount = forAccount
    this.client = endpointClient((request) => this.transport(request))
  }

  /**
   * Of the environment, else of the server that `origami login` went to last. A token is sent to its own server alone.
   */
  static async open(): Promise<Api> {
    const { latest, servers } = await readSignedIn()
    const url = serverUrl(env.url ?? latest ?? nearby)
    return new Api(url, env.token ?? servers[url]?.token ?? (await tokenByHand()), { forAccount: true })
  }

  /** Sends, and reads JSON. Throws Failure with the server's own words, or Unreachable. */
  async call<Key extends keyof WebApi>(key: Key, sent: EndpointRequest<WebApi[Key]>): Promise<AnswerOf<WebApi[Key]>> {
    return (await this.answer(key, sent)).body
  }

  /** As call, with the status where that tells something. */
  async answer<Key extends keyof WebApi>(
    key: Key,
    sent: EndpointRequest<WebApi[Key]>,
  ): Promise<{ status: number; body: AnswerOf<WebApi[Key]> }> {
    const response = await this.send(key, sent)
    const body = await parsedAnswer<AnswerOf<WebApi[Key]>>(response).catch((cause: unknown) => {
      throw new Unreachable(`${this.url} broke off in the middle of its answer, or gave no JSON`, { cause })
    })
    return { status: response.status, body }
  }

  /** Sends, and hands back the answer to be read as it comes. */
  async send<Key extends keyof WebApi>(
    key: Key,
    sent: EndpointRequest<WebApi[Key]>,
    signal?: AbortSignal,
  ): Promise<Response> {
    return this.client.send(key, sent, signal ? { signal } : {}).catch((error: unknown) => {
      throw error instanceof Refusal ? this.failure(error) : error
    })
  }

  private async transport({ path, ...request }: Outgoing): Promise<Response> {
    if (this.signedOut && request.method !== 'GET') throw new Failure(`you are ${this.notSignedIn}`)
    const authorization: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {}
    const headers = { ...request.headers, ...authorization }
    return fetch(`${this.url}${path}`, { ...request, headers }).catch((cause: unknown) => {
      if (request.signal?.aborted) throw cause
      throw new Unreachable(`no Origami answers at ${this.url}; ORIGAMI_URL or origami login <server> names another`, {
        cause,
      })
    })
  }

  private failure(refusal: Refusal): Failure {
    const { status, reason } = refusal
    const message = this.messageOf(refusal)
    return status >= 502 ? new Unreachable(message, { status }) : new Failure(message, { status, reason })
  }

  private messageOf({ status, serverMessage = `${this.url} answered ${status}`, authorize }: Refusal): string {
    if (authorize) return `${serverMessage}\nAllow it in a browser first: ${new URL(authorize, this.url).href}`
    if (status === 401 && !this.token) return `you are ${this.notSignedIn}`
    if (status === 401)
      return `${this.url} does not take your token (any more): origami login ${this.url}, or mend ORIGAMI_TOKEN where it is set`
    // What is not everybody's to see is "not found" to who is not signed in.
    return this.signedOut && [403, 404].includes(status)
      ? `${serverMessage.replace(/\.$/, '')}, or you are ${this.notSignedIn}`
      : serverMessage
  }

  private get signedOut(): boolean {
    return this.forAccount && !this.token
  }

  private get notSignedIn(): string {
    return `not signed in: origami login ${this.url}`
  }
}

/**
 * The address of a server as it is kept: `demos.example.org` and `https://demos.example.org/` are one. Throws Failure.
 */
export function serverUrl(text: string): string {
  const scheme = /^(localhost|127\.|\[::1\])/.test(text) ? 'http' : 'https'
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `${scheme}://${text}`)
  if (url?.username !== '' || url.hostname === '')
    throw new Failure(`expected the address of a server, such as ${nearby}, got ${text}`)
  return url.origin
}

/** Where a demo is: what it is called at its server. */
export interface DemoAddress {
  readonly account: string
  readonly name: string
}

/** Of what a person wrote: `account/name`, `/account/name` or its whole address. Throws Failure. */
export function parseDemoAddress(text: string): DemoAddress {
  const [, account, name] = /^(?:https?:\/\/[^/]+)?\/?([^/]+)\/([^/]+)\/?$/.exec(text) ?? []
  if (!account || !name) throw new Failure(`expected account/name, got ${text}`)
  return { account, name }
}
