import { type Client, endpointClient } from '@origami/protocol/client'
import { type DemoPage, isEnded, type PredictionApi, type Session, type WebApi } from '@origami/protocol/control'
import type { PredictionSnapshot } from '@origami/protocol/demo'
import { expect, vi } from 'vitest'
import type { FakeGithub } from './fake-github/fake-github.ts'

/** Somebody with a browser's cookies but no browser: visits when not signed in. */
export class Person {
  readonly url: string
  /** Calls the web server by its table. Throws Refusal. */
  readonly call: Client<WebApi>['call']
  readonly cookies = new Map<string, string>()

  constructor(url: string) {
    this.url = url
    this.call = endpointClient<WebApi>(({ path, ...request }) => this.fetch(path, request)).call
  }

  /** A demo's API by its table, at the demo's address. */
  demo(address: string): Client<PredictionApi> {
    return endpointClient(({ path, ...request }) => this.fetch(address + path, request))
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
    return this.call('GET /-/api/session', {})
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

  async status(method: string, path: string, body?: unknown): Promise<number> {
    const headers = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    return (await this.fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }))
      .status
  }

  /** Deploys a link and waits until that deployment runs or ended. */
  async deploy(link: string, more: { public?: boolean; name?: string } = {}): Promise<DemoPage> {
    const made = await this.call('POST /-/api/demos', { body: { link, ...more } })
    return this.settled(made.address, made.detail?.newest?.id)
  }

  async redeploy(address: string): Promise<DemoPage> {
    const page = await this.call('POST /-/api/demos/:account/:name/deploy', { params: placeOf(address) })
    return this.settled(address, page.detail?.newest?.id)
  }

  async page(address: string): Promise<DemoPage> {
    return this.call('GET /-/api/demos/:account/:name', { params: placeOf(address) })
  }

  /** The demo once the named deployment (the newest when not named) needs no more waiting for. */
  async settled(address: string, deployment?: string): Promise<DemoPage> {
    return vi.waitFor(
      async () => {
        const page = await this.page(address)
        const followed = page.detail?.deployments.find((entry) => entry.id === deployment) ?? page.detail?.newest
        expect(
          followed && (followed.state === 'running' || isEnded(followed.state)),
          `${address} is ${followed?.state}`,
        ).toBe(true)
        return page
      },
      { timeout: 240_000, interval: 200 },
    )
  }

  async submit(address: string, input: Record<string, unknown>): Promise<PredictionSnapshot> {
    return this.demo(address).call('POST /predictions', { body: { input } }, { headers: { prefer: 'respond-async' } })
  }

  /** The prediction once it satisfies `done`; by default, once it ended. */
  async prediction(
    address: string,
    id: string,
    done = (snapshot: PredictionSnapshot) => snapshot.completed_at !== null,
  ): Promise<PredictionSnapshot> {
    return vi.waitFor(
      async () => {
        const snapshot = await this.demo(address).call('GET /predictions/:id', { params: { id } })
        expect(done(snapshot), `${id} is ${snapshot.status}`).toBe(true)
        return snapshot
      },
      { timeout: 120_000, interval: 100 },
    )
  }
}

/** The parameters of `/account/name`. */
export function placeOf(address: string): { account: string; name: string } {
  const [, account = '', name = ''] = address.split('/')
  return { account, name }
}
