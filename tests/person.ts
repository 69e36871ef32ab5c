import { type DemoPage, isEnded, type Session } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { expect, vi } from 'vitest'
import type { FakeGithub } from './fake-github/index.ts'

/** Somebody with a browser's cookies but no browser: visits when not signed in. */
export class Person {
  readonly url: string
  private readonly cookies = new Map<string, string>()

  constructor(url: string) {
    this.url = url
  }

  /** Goes through the forge's pages as a browser would, approving what is asked. */
  static async signIn(url: string, github: FakeGithub, login: string): Promise<Person> {
    await github.user(login)
    const person = new Person(url)
    await person.authorize(`${url}/-/sign-in/${github.forge.host}?return=/`, github, login)
    return person
  }

  /** Follows an OAuth start address to its end: the forge's page is approved in `login`'s name. */
  async authorize(start: string, github: FakeGithub, login: string): Promise<string> {
    const away = await this.fetch(start, { redirect: 'manual' })
    const back = await github.approve(away.headers.get('location') ?? '', login)
    const returned = await this.fetch(back, { redirect: 'manual' })
    return new URL(returned.headers.get('location') ?? '/', this.url).href
  }

  async session(): Promise<Session> {
    return (await (await this.fetch('/-/api/session')).json()) as Session
  }

  /** A request with this person's cookies and, for changes, their CSRF token. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const changes = init.method !== undefined && init.method !== 'GET'
    if (changes) headers.set('origin', this.url)
    if (changes && path.startsWith('/-/api/')) headers.set('x-csrf-token', (await this.session()).csrf)
    const response = await fetch(new URL(path, this.url), { ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      this.cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return response
  }

  async json<Answer>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await this.fetch(path, {
      method,
      headers: { accept: 'application/json', ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return (text ? JSON.parse(text) : undefined) as Answer
  }

  async status(method: string, path: string, body?: unknown): Promise<number> {
    const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    return (await this.fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })).status
  }

  /** Deploys a link and waits until that deployment runs or ended. */
  async deploy(link: string, more: { public?: boolean; name?: string } = {}): Promise<DemoPage> {
    const made = await this.json<DemoPage>('POST', '/-/api/demos', { link, ...more })
    return this.settled(made.address, made.detail?.newest?.id)
  }

  async redeploy(address: string): Promise<DemoPage> {
    const page = await this.json<DemoPage>('POST', `/-/api/demos${address}/deploy`, {})
    return this.settled(address, page.detail?.newest?.id)
  }

  /** The demo once the named deployment (the newest when not named) needs no more waiting for. */
  async settled(address: string, deployment?: string): Promise<DemoPage> {
    return vi.waitFor(
      async () => {
        const page = await this.json<DemoPage>('GET', `/-/api/demos${address}`)
        const followed = page.detail?.deployments.find((entry) => entry.id === deployment) ?? page.detail?.newest
        expect(followed && (followed.state === 'running' || isEnded(followed.state)), `${address} is ${followed?.state}`).toBe(
          true,
        )
        return page
      },
      { timeout: 240_000, interval: 200 },
    )
  }

  async submit(address: string, input: Record<string, unknown>): Promise<PredictionSnapshot> {
    return this.json('POST', `${address}/predictions`, { input }, { prefer: 'respond-async' })
  }

  /** The prediction once it satisfies `done`; by default, once it ended. */
  async prediction(
    address: string,
    id: string,
    done = (snapshot: PredictionSnapshot) => snapshot.completed_at !== null,
  ): Promise<PredictionSnapshot> {
    return vi.waitFor(
      async () => {
        const snapshot = await this.json<PredictionSnapshot>('GET', `${address}/predictions/${id}`)
        expect(done(snapshot), `${id} is ${snapshot.status}`).toBe(true)
        return snapshot
      },
      { timeout: 120_000, interval: 100 },
    )
  }
}
