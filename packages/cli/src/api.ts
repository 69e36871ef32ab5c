import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { env } from './env.ts'
import { Failure } from './failure.ts'

/** The web server's own API, as whoever the token stands for. Without a token: as anyone. */
export class Api {
  readonly url: string
  private readonly token: string | undefined

  private constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/$/, '')
    this.token = token
  }

  static async open(): Promise<Api> {
    return new Api(env.url ?? 'http://127.0.0.1:8000', env.token ?? (await tokenFromFile()))
  }

  /** Sends, and reads JSON. Throws Failure with the server's own words. */
  async json<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.send(method, path, body)
    const text = await response.text()
    return (text ? JSON.parse(text) : undefined) as Answer
  }

  /** Sends, and hands back the answer to be read as it comes. */
  async send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
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
      throw new Failure(`no Origami answers at ${this.url}; ORIGAMI_URL names another address`)
    })
    if (response.ok) return response
    throw new Failure(await this.refusal(response))
  }

  private async refusal(response: Response): Promise<string> {
    const { error, authorize } = (await response.json().catch(() => ({}))) as { error?: string; authorize?: string }
    if (authorize) return `${error}\nAllow it in a browser first: ${new URL(authorize, this.url).href}`
    if (response.status === 401 && !this.token)
      return `this needs a token: make one at ${this.url}/-/account and put it in ORIGAMI_TOKEN or in ~/.origami/token (mode 0600)`
    return error ?? `${this.url} answered ${response.status}`
  }
}

async function tokenFromFile(): Promise<string | undefined> {
  const file = join(env.home ?? homedir(), '.origami/token')
  const found = await stat(file).catch(() => undefined)
  if (!found) return undefined
  if (found.mode & 0o077) throw new Failure(`${file} can be read by others; chmod 600 it`)
  return (await readFile(file, 'utf8')).trim()
}

/** `/account/name` of what a person wrote: `account/name`, `/account/name` or its whole address. Throws Failure. */
export function demoAddress(text: string): string {
  const path = text.replace(/^https?:\/\/[^/]+/, '').replace(/^\/|\/$/g, '')
  if (!/^[^/]+\/[^/]+$/.test(path)) throw new Failure(`expected account/name, got ${text}`)
  return `/${path}`
}
