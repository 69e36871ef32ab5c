import { type Client, endpointClient, type Outgoing, Refusal } from '@origami/protocol/client'
import type { WebApi } from '@origami/protocol/control'
import { Failure } from './failure.ts'

/** A session signed in with a one-time owner's link, for what `npm start` does on the owner's behalf. */
export class OwnerSession {
  readonly url: string
  /** Calls an endpoint of the web server. Throws Refusal. */
  readonly call: Client<WebApi>['call']
  private readonly cookies = new Map<string, string>()
  private csrf = ''

  private constructor(url: string) {
    this.url = url
    this.call = endpointClient<WebApi>((request) => this.transport(request)).call
  }

  /** Throws Failure when the link was used already. */
  static async open(url: string, link: string): Promise<OwnerSession> {
    const session = new OwnerSession(url)
    await session.takeCsrf()
    await session
      .call('POST /-/api/session/link', { body: { secret: new URL(link).hash.slice(1) } })
      .catch((error: unknown) => {
        throw error instanceof Refusal
          ? new Failure(`the owner's link was refused: ${error.message}`, { cause: error })
          : error
      })
    await session.takeCsrf()
    return session
  }

  private async takeCsrf(): Promise<void> {
    this.csrf = (await this.call('GET /-/api/session', {})).csrf
  }

  private async transport({ path, ...request }: Outgoing): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...request.headers, cookie, origin: this.url, 'x-csrf-token': this.csrf }
    const response = await fetch(`${this.url}${path}`, { ...request, headers })
    this.keep(response.headers.getSetCookie())
    return response
  }

  private keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }
}
