import type { Slices } from '@origami/host/slices'
import type { TokenScope } from '@origami/protocol/control'
import { addressPrefix, randomId, type VisitorId, visitorId } from '@origami/protocol/demo'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WebLimits } from '../config.ts'
import { randomSecret, type Secrets, secretHash } from '../secrets.ts'
import type { Account } from '../store/accounts.ts'
import type { Db, InTransaction } from '../store/open.ts'
import {
  accountOfSession,
  addSession,
  endSession,
  endSessionsOf,
  sessionsOf,
  sweepSessions,
} from '../store/sessions.ts'
import { noteTokenUse, tokenOf } from '../store/tokens.ts'
import { addressKey, CountsByAddress } from './address.ts'

/** The caller: always a visitor, and an account when signed in by cookie or by token. */
export interface Who {
  readonly visitor: VisitorId
  readonly account?: Account
  /** A name for the address of a caller who is not signed in. */
  readonly address?: string
  /**
   * Whether a token in `Authorization` identifies the caller. Then cookies do not count, and no CSRF token is needed.
   */
  readonly byToken: boolean
  /** The id of that token, and what it may do. */
  readonly token?: string
  readonly scopes?: readonly TokenScope[]
  /** Must be sent back as `x-csrf-token` with changes that a cookie authorises. */
  readonly csrf: () => string
}

const sessionCookie = 'origami_session'
const visitorCookie = 'origami_visitor'
const hourMs = 3_600_000
/** The longest name of a browser that is kept. */
const mostLetters = 200
const dayMs = 24 * hourMs

/** What people name a session by. Its cookie cannot be found by it. */
const sessionId = (hash: string): string => secretHash(hash).slice(0, 22)

const accountVisitor = ({ id }: Account): VisitorId => visitorId(`a-${id}`)

/** The caller is not known, or may not do this. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly statusCode: number
  constructor(statusCode: 401 | 403 | 404 | 409 | 422 | 429, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}

/** Identifies callers by their cookies and tokens. */
export class Sessions {
  private readonly db: Db
  private readonly secrets: Secrets
  private readonly limits: WebLimits
  private readonly secure: boolean
  /** By cookie, of those that were verified lately. */
  private readonly visitors = new Map<string, string>()
  /** The names of addresses. */
  private readonly places = new Map<string, string>()
  private readonly newcomers: CountsByAddress

  /** `secure`: cookies are only sent over https. */
  constructor(db: Db, secrets: Secrets, limits: WebLimits, secure: boolean) {
    this.limits = limits
    this.newcomers = new CountsByAddress(hourMs, () => limits.addressesCounted)
    this.db = db
    this.secrets = secrets
    this.secure = secure
  }

  /**
   * Identifies the caller. A caller without a cookie gets one, and counts by address until the cookie comes back, so
   * that throwing cookies away gains nothing. Throws Refused for an unknown token.
   */
  who(request: FastifyRequest, reply: FastifyReply): Who | Promise<Who> {
    const bearer = /^Bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1]
    // A demo's own API is for everybody, and a token that a client of another service sends there is ignored.
    if (bearer !== undefined && (bearer.startsWith('ori_') || request.url.startsWith('/-/')))
      return this.byToken(bearer)
    const known = this.knownVisitor(request)
    const address = addressKey(request.ip)
    const fresh = known || request.isForeign ? undefined : this.newVisitor(address, request, reply)
    const place = this.placeOf(address)
    const visitor = known ?? place
    const csrf = () => this.secrets.sign('csrf', fresh ?? visitor)
    const nobody: Who = { visitor: visitorId(visitor), address: place, byToken: false, csrf }
    const secret = request.cookies[sessionCookie]
    return secret ? this.bySession(secret, nobody) : nobody
  }

  private async bySession(secret: string, nobody: Who): Promise<Who> {
    const account = await this.accountOf(secret)
    if (!account) return nobody
    const csrf = () => this.secrets.sign('csrf', secretHash(secret))
    return { visitor: accountVisitor(account), account, byToken: false, csrf }
  }

  /** A name for an address. */
  private placeOf(address: string): string {
    return remembered(
      this.places,
      address,
      () => `${addressPrefix}${this.secrets.sign('address', address).slice(0, 22)}`,
    )
  }

  /** Begins a session in place of the one that this browser had, and does more in that transaction. */
  async signIn(request: FastifyRequest, reply: FastifyReply, account: Account, more: InTransaction): Promise<void> {
    const secret = randomSecret()
    const before = request.cookies[sessionCookie]
    const place = { agent: request.headers['user-agent']?.slice(0, mostLetters) ?? null, address: request.ip }
    await this.db.transaction().execute(async (trx) => {
      if (before) await endSession(trx, secretHash(before))
      await addSession(trx, secretHash(secret), account.id, new Date().toISOString(), place)
      await more(trx)
    })
    reply.setCookie(sessionCookie, secret, this.lasting(this.limits.sessionDays))
  }

  /** The sessions of an account, newest first. */
  async of(account: Account, request: FastifyRequest) {
    const mine = secretHash(request.cookies[sessionCookie] ?? '')
    const all = await sessionsOf(this.db, account.id, this.oldestSession())
    return all.map(({ hash, ...session }) => ({ id: sessionId(hash), ...session, current: hash === mine }))
  }

  /** Ends one session of an account, or all of them, and does more in that transaction. */
  async end(account: Account, id: string | undefined, more: InTransaction): Promise<void> {
    await this.db.transaction().execute(async (trx) => {
      if (id === undefined) await endSessionsOf(trx, account.id, undefined)
      for (const { hash } of await sessionsOf(trx, account.id, this.oldestSession()))
        if (sessionId(hash) === id) await endSessionsOf(trx, account.id, hash)
      await more(trx)
    })
  }

  /** Removes sessions that are too old. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const oldest = this.oldestSession()
    await slices.run('sessions', signal, (rows) => sweepSessions(this.db, oldest, rows))
  }

  /** Ends the session, and does more in that transaction. */
  async signOut(request: FastifyRequest, reply: FastifyReply, more?: InTransaction): Promise<void> {
    const secret = request.cookies[sessionCookie]
    await this.db.transaction().execute(async (trx) => {
      if (secret) await endSession(trx, secretHash(secret))
      await more?.(trx)
    })
    reply.clearCookie(sessionCookie, this.cookie())
  }

  /** Stores in a cookie that the caller came by a demo's unlisted link. It counts for some days, and for that link. */
  unlock(reply: FastifyReply, demo: Unlisted): void {
    const lasting = this.lasting(this.limits.unlistedDays)
    const until = Math.floor(Date.now() / 1000) + lasting.maxAge
    const signature = this.secrets.sign('unlisted', unlistedText(demo, until))
    reply.setCookie(`origami_key_${demo.id}`, `${until}.${signature}`, lasting)
  }

  unlocked(request: FastifyRequest, demo: Unlisted): boolean {
    const [until = '', signature = ''] = (request.cookies[`origami_key_${demo.id}`] ?? '').split('.')
    if (!/^\d{1,12}$/.test(until) || Number(until) * 1000 < Date.now()) return false
    return this.secrets.verify('unlisted', unlistedText(demo, Number(until)), signature)
  }

  private async byToken(token: string): Promise<Who> {
    const hash = secretHash(token)
    const found = await tokenOf(this.db, hash, new Date().toISOString())
    if (!found) throw new Refused(401, 'That token is not known, or has expired; make one on the account page.')
    const { id, account, scopes, usedAt } = found
    await this.noteUse(hash, usedAt)
    return { visitor: accountVisitor(account), account, byToken: true, token: id, scopes, csrf: () => '' }
  }

  /** At most once an hour, so that a program which only reads does not make the server write each time. */
  private async noteUse(hash: string, before: string | null): Promise<void> {
    if (before !== null && Date.now() - Date.parse(before) < hourMs) return
    await noteTokenUse(this.db, hash, new Date().toISOString())
  }

  private async accountOf(secret: string): Promise<Account | undefined> {
    return accountOfSession(this.db, secretHash(secret), this.oldestSession())
  }

  private oldestSession(): string {
    return new Date(Date.now() - this.limits.sessionDays * dayMs).toISOString()
  }

  private knownVisitor(request: FastifyRequest): string | undefined {
    const cookie = request.cookies[visitorCookie]
    return cookie === undefined ? undefined : remembered(this.visitors, cookie, () => this.visitorOf(cookie))
  }

  private visitorOf(cookie: string): string | undefined {
    const [id = '', signature = ''] = cookie.split('.')
    return id !== '' && this.secrets.verify('visitor', id, signature) ? id : undefined
  }

  /** Undefined: too many new visitors came from this address recently. */
  private newVisitor(address: string, request: FastifyRequest, reply: FastifyReply): string | undefined {
    if (!this.newcomers.take(address, this.limits.visitorsPerAddress).isTaken) return undefined
    const fresh = `v-${randomId()}`
    const value = `${fresh}.${this.secrets.sign('visitor', fresh)}`
    request.cookies[visitorCookie] = value
    reply.setCookie(visitorCookie, value, this.lasting(this.limits.visitorDays))
    return fresh
  }

  private lasting(days: number) {
    return { ...this.cookie(), maxAge: Math.round((days * dayMs) / 1000) }
  }

  private cookie() {
    return { path: '/', httpOnly: true, sameSite: 'lax' as const, secure: this.secure }
  }
}

/** A demo with the key of its unlisted link. */
interface Unlisted {
  readonly id: string
  readonly key: string
}

const unlistedText = ({ id, key }: Unlisted, until: number): string => `${id} ${key} ${until}`

const mostRemembered = 10_000

/** What `make` returned for this key before. What is undefined is not kept, since callers can make it up. */
function remembered<Value extends string | undefined>(
  all: Map<string, string>,
  key: string,
  make: () => Value,
): Value | string {
  const before = all.get(key)
  if (before !== undefined) return before
  const made = make()
  if (made === undefined) return made
  if (all.size >= mostRemembered) all.clear()
  all.set(key, made)
  return made
}
