import { env } from './env.ts'
import { Failure, Unreachable } from './failure.ts'
import { readSignedIn, tokenByHand } from './signed-in.ts'

/** Where the web server of `npm start` is. */
const nearby = 'http://127.0.0.1:8000'

/** The web server's own API, as whoever the token stands for. Without a token: as anyone, who changes nothing but by signing in. */
export class Api {
  readonly url: string
  private readonly token: string | undefined
  /** Somebody is meant to be signed in: a refusal without a token says how. */
  private readonly forAccount: boolean

  constructor(url: string, token?: string, { forAccount = false }: { forAccount?: boolean } = {}) {
    this.url = url
    this.token = token
    this.forAccount = forAccount
  }

  /** Of the environment, else of the server that `origami login` went to last. A token is sent to its own server alone. */
  static async open(): Promise<Api> {
    const { latest, servers } = await readSignedIn()
    const url = serverUrl(env.url ?? latest ?? nearby)
    return new Api(url, env.token ?? servers[url]?.token ?? (await tokenByHand()), { forAccount: true })
  }

  /** Sends, and reads JSON. Throws Failure with the server's own words, or Unreachable. */
  async json<Answer>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    return this.read<Answer>(await this.send(method, path, body, signal), signal)
  }

  /** Reads the JSON of an answer. Throws Unreachable where there is none. */
  async read<Answer>(response: Response, signal?: AbortSignal): Promise<Answer> {
    try {
      const text = await response.text()
      return (text ? JSON.parse(text) : undefined) as Answer
    } catch (cause) {
      if (signal?.aborted) throw cause
      throw new Unreachable(`${this.url} broke off in the middle of its answer, or gave no JSON`, { cause })
    }
  }

  /** Sends, and hands back the answer to be read as it comes. */
  async send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    if (this.signedOut && method !== 'GET') throw new Failure(`you are ${this.notSignedIn}`)
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(this.token ? { authorization: `Bearer ${this.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause
      throw new Unreachable(`no Origami answers at ${this.url}; ORIGAMI_URL or origami login <server> names another`, { cause })
    })
    if (response.ok) return response
    throw await this.refusal(response)
  }

  private async refusal(response: Response): Promise<Failure> {
    const { status } = response
    const said = (await response.json().catch(() => ({}))) as { error?: string; authorize?: string; reason?: string }
    const words = this.words(status, said)
    return status >= 502 ? new Unreachable(words, { status }) : new Failure(words, { status, reason: said.reason })
  }

  private words(status: number, { error, authorize }: { error?: string; authorize?: string }): string {
    if (authorize) return `${error}\nAllow it in a browser first: ${new URL(authorize, this.url).href}`
    if (status === 401 && !this.token) return `you are ${this.notSignedIn}`
    if (status === 401)
      return `${this.url} does not take your token (any more): origami login ${this.url}, or mend ORIGAMI_TOKEN where it is set`
    const words = error ?? `${this.url} answered ${status}`
    // What is not everybody's to see is "not found" to who is not signed in.
    return this.signedOut && [403, 404].includes(status) ? `${words.replace(/\.$/, '')}, or you are ${this.notSignedIn}` : words
  }

  private get signedOut(): boolean {
    return this.forAccount && !this.token
  }

  private get notSignedIn(): string {
    return `not signed in: origami login ${this.url}`
  }
}

/** The address of a server as it is kept: `demos.example.org` and `https://demos.example.org/` are one. Throws Failure. */
export function serverUrl(text: string): string {
  const scheme = /^(localhost|127\.|\[::1\])/.test(text) ? 'http' : 'https'
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `${scheme}://${text}`)
  if (url?.username !== '' || url.hostname === '')
    throw new Failure(`expected the address of a server, such as ${nearby}, got ${text}`)
  return url.origin
}

/** `/account/name` of what a person wrote: `account/name`, `/account/name` or its whole address. Throws Failure. */
export function demoAddress(text: string): string {
  const path = text.replace(/^https?:\/\/[^/]+/, '').replace(/^\/|\/$/g, '')
  if (!/^[^/]+\/[^/]+$/.test(path)) throw new Failure(`expected account/name, got ${text}`)
  return `/${path}`
}
