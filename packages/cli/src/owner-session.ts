import type { Session } from '@origami/protocol/control'
import { Failure } from './failure.ts'

/** A signed-in session made from a one-time owner link, for what `npm start` does on the owner's behalf. */
export class OwnerSession {
  readonly url: string
  private readonly cookie: string
  private csrf = ''

  private constructor(url: string, cookie: string) {
    this.url = url
    this.cookie = cookie
  }

  static async open(url: string, link: string): Promise<OwnerSession> {
    const cookies = new Map<string, string>()
    const anonymous = await fetch(`${url}/-/api/session`)
    keep(cookies, anonymous)
    const { csrf } = (await anonymous.json()) as Session
    const signedIn = await fetch(`${url}/-/api/session/link`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-csrf-token': csrf, cookie: header(cookies), origin: url },
      body: JSON.stringify({ secret: new URL(link).hash.slice(1) }),
    })
    if (!signedIn.ok) throw new Failure(`the owner's link was refused: ${await signedIn.text()}`)
    keep(cookies, signedIn)
    const session = new OwnerSession(url, header(cookies))
    session.csrf = (await session.json<Session>('GET', '/-/api/session')).csrf
    return session
  }

  async json<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        cookie: this.cookie,
        origin: this.url,
        'x-csrf-token': this.csrf,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Failure(`${method} ${path}: ${response.status} ${text}`)
    return (text ? JSON.parse(text) : undefined) as Answer
  }
}

function keep(cookies: Map<string, string>, response: Response): void {
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }
}

const header = (cookies: Map<string, string>): string => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
