import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { AuditEntry, TokenScope } from '@origami/protocol/control'
import Database from 'better-sqlite3'
import { vi } from 'vitest'
import { Person } from '../person.ts'
import type { World } from '../world.ts'

/** Those who ask, by the head of their column in the table. */
export const columns = {
  anon: 'nobody',
  vis: 'visitor',
  key: 'guest',
  acc: 'account',
  dep: 'deployer',
  own: 'owner',
  op: 'operator',
  tRun: 'run token',
  tDep: 'deploy token',
  tAdm: 'admin token',
} as const
export type Role = (typeof columns)[keyof typeof columns]

/** Limits under which one address may ask as often as these tests do. */
export const often = {
  requestsPerMinute: 1e6,
  signInsPerMinute: 1e6,
  codeTriesPerMinute: 1e6,
  visitorsPerAddress: 1e6,
}

export type Privacy = 'public' | 'private'

interface AuditRow extends Omit<AuditEntry, 'before' | 'after'> {
  readonly handle: string | null
  readonly before: string | null
  readonly after: string | null
}

/** Sends a request as one role. */
export type Send = (path: string, init?: RequestInit) => Promise<Response>

/** Everybody who asks, and the two demos of ann that they ask for. */
export class Cast implements AsyncDisposable {
  readonly world: World
  readonly demos: Readonly<Record<Privacy, string>>
  readonly link: string
  /** Secrets that were given out. */
  readonly secrets = new Set<string>()
  private readonly elsewhere: Server
  private readonly persons = new Map<Role, Person>()
  private readonly tokens: Partial<Record<TokenScope, string>> = {}
  private made = 0
  /** Predictions that were made to run until they are canceled. */
  private readonly running: { readonly address: string; readonly id: string }[] = []

  private constructor(world: World, demos: Cast['demos'], link: string, elsewhere: Server) {
    this.world = world
    this.demos = demos
    this.link = link
    this.elsewhere = elsewhere
  }

  static async assemble(world: World): Promise<Cast> {
    const ann = await world.person('ann')
    const link = await world.push('tests/demos/gated', 'ann')
    const secret = await world.push('tests/demos/gated', 'ann', { private: true, name: 'secret' })
    const { address } = await ann.deploy(link)
    await ann.authorize(`${world.url}/-/sign-in/${world.github.forge.host}?scope=repo`, world.github, 'ann')
    const hidden = await ann.deploy(secret, { public: false })
    const said = async (name: string) => (await ann.fetch(`${address}/${name}`)).text()
    const answers: Record<string, string> = { schema: await said('schema'), 'health-check': await said('health-check') }
    const elsewhere = createServer((request, response) => {
      const last = request.url?.split('/').at(-1) ?? ''
      response.setHeader('content-type', 'application/json').end(answers[last] ?? '{"origami":{"api":1}}')
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const cast = new Cast(world, { public: address, private: hidden.address }, link, elsewhere)
    for (const role of ['visitor', 'guest', 'account', 'deployer', 'owner', 'operator'] as const)
      await cast.person(role)
    await cast.letIn(hidden.unlisted)
    return cast
  }

  /** The person of a role. */
  async person(role: Role): Promise<Person> {
    const known = this.persons.get(role)
    if (known) return known
    const person = await this.newPerson(role)
    this.persons.set(role, person)
    return person
  }

  /** Everybody who is signed in signs in again when they are next asked for, since their sessions have ended. */
  forgetSessions(): void {
    for (const role of ['account', 'deployer', 'owner', 'operator'] as const) this.persons.delete(role)
  }

  /** Somebody of that role whose session is their own, since it ends or is replaced. */
  async newPerson(role: Role): Promise<Person> {
    const logins: Partial<Record<Role, string>> = { account: 'carol', deployer: 'bob', owner: 'ann' }
    const login = logins[role]
    const person = new Person(this.world.url)
    const start = `${this.world.url}/-/sign-in/${this.world.github.forge.host}?scope=repo`
    if (login) {
      await this.world.github.user(login)
      await person.authorize(start, this.world.github, login)
      return person
    }
    await person.session()
    if (role === 'operator') await person.call('POST /-/api/session/link', { body: { secret: this.ownerSecret() } })
    return person
  }

  /** Who is nobody sends neither cookie nor CSRF token. */
  async sender(role: Role, isFresh: boolean): Promise<Send> {
    if (role === 'nobody') return (path, init) => fetch(this.world.url + path, init)
    const [scope, isToken] = role.split(' ')
    if (isToken) return this.byToken(scope as TokenScope)
    const person = await (isFresh ? this.newPerson(role) : this.person(role))
    return (path, init) => person.fetch(path, init)
  }

  /** A token of ann's that has this scope alone. */
  private async byToken(scope: TokenScope): Promise<Send> {
    const ann = await this.person('owner')
    this.tokens[scope] ??= (await ann.call('POST /-/api/tokens', { body: { name: scope, scopes: [scope] } })).token
    const authorization = `Bearer ${this.tokens[scope]}`
    return (path, init) => fetch(this.world.url + path, { ...init, headers: { ...init?.headers, authorization } })
  }

  /** The secret of an owner's link that nobody used. */
  ownerSecret(): string {
    const secret = new URL(this.world.ownerLink()).hash.slice(1)
    this.secrets.add(secret)
    return secret
  }

  /** The address of a server where a demo answers that is not listed yet. */
  newUrl(): string {
    this.made += 1
    return `http://127.0.0.1:${(this.elsewhere.address() as AddressInfo).port}/${this.made}/`
  }

  /** A demo of ann's that runs elsewhere, which somebody may change or remove. */
  async listed(privacy: Privacy): Promise<string> {
    const ann = await this.person('owner')
    const body = { url: this.newUrl(), name: `listed-${this.made}`, public: privacy === 'public' }
    const { address, unlisted } = await ann.call('POST /-/api/demos', { body })
    await this.letIn(unlisted)
    return address
  }

  /** The guest opens an unlisted link. */
  private async letIn(unlisted: string | null): Promise<void> {
    if (unlisted) await (await this.person('guest')).fetch(unlisted, { headers: { accept: 'text/html' } })
  }

  /** A prediction of the guest's that ended, or that runs until it is canceled. */
  async prediction(privacy: Privacy, isEnded: boolean): Promise<string> {
    const guest = await this.person('guest')
    const gate = isEnded ? {} : { gate: `${this.world.folder}/never` }
    const { id } = await guest.submit(this.demos[privacy], { word: 'hi', ...gate })
    if (isEnded) await guest.prediction(this.demos[privacy], id)
    else this.running.push({ address: this.demos[privacy], id })
    return id
  }

  /** Cancels what runs on because nobody of those who asked may cancel it. */
  async cancelRest(): Promise<void> {
    const guest = await this.person('guest')
    for (const { address, id } of this.running.splice(0)) {
      await guest.status('POST', `${address}/predictions/${id}/cancel`)
      await guest.prediction(address, id)
    }
  }

  /** A code of a program that waits for an answer, and the one of a program that was let in by ann. */
  async device(isAllowed: boolean): Promise<{ user_code: string; device_code: string }> {
    const begun = await new Person(this.world.url).call('POST /-/api/device', { body: {} })
    this.secrets.add(begun.device_code).add(begun.user_code)
    if (isAllowed) {
      const ann = await this.person('owner')
      await ann.call('POST /-/api/device/answer', { body: { code: begun.user_code, allow: true } })
    }
    return begun
  }

  /** Waits until both demos serve. */
  async serving(): Promise<void> {
    const ann = await this.person('owner')
    for (const address of Object.values(this.demos)) {
      await ann.settled(address)
      await vi.waitFor(async () => {
        const { state } = await ann.page(address)
        if (state !== 'running') throw new Error(`${address} is ${state}`)
      }, 60_000)
    }
  }

  /** The rows of the audit log, oldest first. */
  audit(): AuditEntry[] {
    const db = new Database(join(this.world.folder, 'web/web.db'), { readonly: true })
    try {
      const rows = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
      return rows.map(({ account: _, handle, before, after, ...row }) => ({
        ...row,
        account: handle,
        before: before && JSON.parse(before),
        after: after && JSON.parse(after),
      }))
    } finally {
      db.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.elsewhere.closeAllConnections()
    this.elsewhere.close()
  }
}
