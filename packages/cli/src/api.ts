import { type Client, endpointClient, type Outgoing, parsedAnswer, Refusal } from '@origami/protocol/client'
import { type Answer, type AnswerOf, type EndpointRequest, type WebApi, webApi } from '@origami/protocol/control'
import { ZodType } from 'zod'
import { env } from './env.ts'
import { Failure, Unreachable } from './failure.ts'
import { readSignedIn, tokenByHand } from './signed-in.ts'

/** Where the web server of `npm start` is. */
const nearby = 'http://127.0.0.1:8000'
/** Longer than a server takes for its slowest answer, to a change that ends what runs and asks a forge before. */
const usualPatienceMs = 120_000

interface ApiOptions {
  readonly forAccount?: boolean
  /** Until an answer comes. */
  readonly patienceMs?: number
}

/**
 * The web server's own API, as whoever the token stands for. Without a token: as anyone, who changes nothing but by
 * signing in.
 */
export class Api {
  readonly url: string
  private readonly token: string | undefined
  /** Somebody is meant to be signed in: a refusal without a token says how. */
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
   * Of the environment, else of the server that `origami login` went to last. A token is sent to its own server alone.
   */
  static async open(): Promise<Api> {
    const { latest, servers } = await readSignedIn()
    const url = serverUrl(env.url ?? latest ?? nearby)
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

  /** As call, with the status where that tells something. */
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

  /** Sends, and hands back the answer to be read as it comes. Throws as call does. */
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

const answersOf = (key: keyof WebApi): Readonly<Record<number, Answer>> => webApi[key].answers

/** Whether an answer that is no JSON is of the type that its endpoint has. */
const hasType = ({ headers }: Response, expected: Answer['body']): boolean =>
  typeof expected !== 'string' || (headers.get('content-type') ?? '').toLowerCase().startsWith(expected)

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
