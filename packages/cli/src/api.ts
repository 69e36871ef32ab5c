import { type Client, endpointClient, type Outgoing, parsedAnswer, Refusal } from '@origami/protocol/client'
import { type Answer, type AnswerOf, type EndpointRequest, type WebApi, webApi } from '@origami/protocol/control'
import { ZodType } from 'zod'
import { env } from './env.ts'
import { Failure, Unreachable } from './failure.ts'
import { readSignedIn, tokenByHand } from './signed-in.ts'

/** The address of the web server that `npm start` starts. */
const nearby = 'http://127.0.0.1:8000'
/**
 * Longer than the slowest answer of a server, which is for a change that ends running predictions after asking a forge.
 */
const usualPatienceMs = 120_000

interface ApiOptions {
  readonly forAccount?: boolean
  /** How long to wait for an answer. */
  readonly patienceMs?: number
}

/**
 * Calls the web server's API with the rights of the token's account. Without a token it calls as anyone, who can change
 * nothing but sign in.
 */
export class Api {
  readonly url: string
  private readonly token: string | undefined
  /** Whether the caller should be signed in. If so, a refusal without a token says how to sign in. */
  private readonly forAccount: boolean
  private readonly patienceMs: number
  private readonly client: Client<WebApi>

  constructor(url: string, token?: string, { forAccount = false, patienceMs = usualPatienceMs }: ApiOptions = {}) {
    this.patienceMs = patienceMs
    this.url = url
    this.token = token
    this.forAccount = forAccount
    this.client = endpointClient((request) => this.transport(request))
  }

  /**
   * Uses the server and token that the environment names, or else the server of the last `origami login`. A token is
   * sent to its own server only.
   */
  static async open(): Promise<Api> {
    const { latest, servers } = await readSignedIn()
    const url = parseServerAddress(env.url ?? latest ?? nearby)
    const token = env.token ?? servers[url]?.token ?? (await tokenByHand())
    if (token && !/^[!-~]+$/.test(token))
      throw new Failure(
        'expected a token as the account page shows it, got one with spaces, line ends or other letters',
      )
    return new Api(url, token, { forAccount: true })
  }

  /** Sends a request and reads its answer as JSON. Throws Failure with the server's message, or Unreachable. */
  async call<Key extends keyof WebApi>(key: Key, sent: EndpointRequest<WebApi[Key]>): Promise<AnswerOf<WebApi[Key]>> {
    return (await this.answer(key, sent)).body
  }

  /** The same as `call`, together with the status, for endpoints where it matters. */
  async answer<Key extends keyof WebApi>(
    key: Key,
    sent: EndpointRequest<WebApi[Key]>,
  ): Promise<{ status: number; body: AnswerOf<WebApi[Key]> }> {
    const within = AbortSignal.timeout(this.patienceMs)
    try {
      const response = await this.send(key, sent, within)
      const body = await parsedAnswer<AnswerOf<WebApi[Key]>>(response).catch((cause: unknown) => {
        throw new Unreachable(`${this.url} broke off in the middle of its answer, or gave no JSON`, { cause })
      })
      const expected = answersOf(key)[response.status]?.body
      if (!(expected instanceof ZodType) || !expected.safeParse(body).success) throw this.foreign()
      return { status: response.status, body }
    } catch (error) {
      throw within.aborted ? this.late(error) : error
    }
  }

  /** Sends a request and returns the response unread, so that it can be read as a stream. Throws as `call` does. */
  async send<Key extends keyof WebApi>(
    key: Key,
    sent: EndpointRequest<WebApi[Key]>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.patienceMs)
    const until = signal ? AbortSignal.any([signal, late.signal]) : late.signal
    try {
      const answer = await this.client.send(key, sent, { signal: until })
      if (!hasType(answer, answersOf(key)[answer.status]?.body)) throw this.foreign()
      return answer
    } catch (error) {
      if (late.signal.aborted && !signal?.aborted) throw this.late(error)
      throw error instanceof Refusal ? this.failure(error) : error
    } finally {
      clearTimeout(timer)
    }
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

  private late(cause: unknown): Unreachable {
    return new Unreachable(`${this.url} gave no answer within ${this.patienceMs / 1000} s; try again later`, { cause })
  }

  private foreign(): Failure {
    return new Failure(`${this.url} answers as no Origami does; ORIGAMI_URL or origami login <server> names another`)
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
    // A private thing is "not found" to those who are not signed in, so signing in may help here too.
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

const answersOf = (key: keyof WebApi): Readonly<Record<number, Answer>> => webApi[key].answers

/** Whether an answer that is not JSON has the media type of its endpoint. */
const hasType = ({ headers }: Response, expected: Answer['body']): boolean =>
  typeof expected !== 'string' || (headers.get('content-type') ?? '').toLowerCase().startsWith(expected)

/**
 * The address of a server in its stored form: `demos.example.org` and `https://demos.example.org/` are the same. Throws
 * Failure.
 */
export function parseServerAddress(text: string): string {
  const scheme = /^(localhost|127\.|\[::1\])/.test(text) ? 'http' : 'https'
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `${scheme}://${text}`)
  if (url?.username !== '' || url.hostname === '')
    throw new Failure(`expected the address of a server, such as ${nearby}, got ${text}`)
  return url.origin
}

/** The account and name of a demo at its server. */
export interface DemoAddress {
  readonly account: string
  readonly name: string
}

/** Parses an address that a person wrote: `account/name`, `/account/name` or a whole URL. Throws Failure. */
export function parseDemoAddress(text: string): DemoAddress {
  const [, account, name] = /^(?:https?:\/\/[^/]+)?\/?([^/]+)\/([^/]+)\/?$/.exec(text) ?? []
  if (!account || !name) throw new Failure(`expected account/name, got ${text}`)
  return { account, name }
}
