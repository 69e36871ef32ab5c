import { randomInt } from 'node:crypto'
import type { Slices } from '@origami/host/slices'
import type { DeviceReason } from '@origami/protocol/control'
import { Full } from '@origami/protocol/demo'
import type { WebLimits } from '../config.ts'
import { hashOf, randomSecret } from '../secrets.ts'
import type { AccountRow, Db } from '../store/open.ts'
import { makeToken } from './tokens.ts'

/** Seconds, as RFC 8628 has them. No settings: the command and the page say them in words, and a life so short needs no change. */
export const deviceTimes = { expires: 600, interval: 2 } as const
/** No vowels, so that no code is a word; nothing that is read for something else. RFC 8628, 6.1. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

export interface Asking {
  /** The machine that asks, by its own word. */
  readonly host: string
  readonly agent: string
  readonly address: string
}

/** Sign-in of a program by a code that is shown in it and confirmed on a page (RFC 8628). Codes are stored hashed, for ten minutes. */
export class DeviceCodes {
  private readonly db: Db
  private readonly limits: Pick<WebLimits, 'deviceCodes'>

  constructor(db: Db, limits: Pick<WebLimits, 'deviceCodes'>) {
    this.db = db
    this.limits = limits
  }

  /** Throws Full when very many are pending. */
  async begin(asking: Asking): Promise<{ deviceCode: string; userCode: string }> {
    const { pending } = await this.db
      .selectFrom('device_codes')
      .select(({ fn }) => fn.countAll<number>().as('pending'))
      .where('expires_at', '>', new Date().toISOString())
      .executeTakeFirstOrThrow()
    if (pending >= this.limits.deviceCodes)
      throw new Full('Too many programs ask to sign in just now; try again in ten minutes.', 600)
    const [deviceCode, userCode] = [randomSecret(), randomUserCode()]
    await this.db
      .insertInto('device_codes')
      .values({
        hash: hashOf(deviceCode),
        user_hash: hashOf(userCode),
        ...asking,
        state: 'pending',
        account: null,
        asked_at: null,
        expires_at: new Date(Date.now() + deviceTimes.expires * 1000).toISOString(),
      })
      .execute()
    return { deviceCode, userCode }
  }

  /** Who asks under the code that a person read. Undefined: nobody, or nobody any more. */
  async pending(userCode: string): Promise<(Asking & { readonly expires_at: string }) | undefined> {
    return this.db
      .selectFrom('device_codes')
      .select(['host', 'agent', 'address', 'expires_at'])
      .where('user_hash', '=', hashOf(normal(userCode)))
      .where('state', '=', 'pending')
      .where('expires_at', '>', new Date().toISOString())
      .executeTakeFirst()
  }

  /** Lets the program in as an account, or not. False: it was answered before, or is too old. */
  async answer(userCode: string, account: AccountRow, allow: boolean): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('device_codes')
      .set({ state: allow ? 'allowed' : 'denied', account: account.id })
      .where('user_hash', '=', hashOf(normal(userCode)))
      .where('state', '=', 'pending')
      .where('expires_at', '>', new Date().toISOString())
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  /** What the program asks again and again: the token, once, or why there is none (yet). */
  async take(deviceCode: string): Promise<{ token: string; handle: string } | { reason: DeviceReason }> {
    const hash = hashOf(deviceCode)
    return this.db.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('device_codes')
        .leftJoin('accounts', 'accounts.id', 'device_codes.account')
        .selectAll('device_codes')
        .select('accounts.handle')
        .where('device_codes.hash', '=', hash)
        .executeTakeFirst()
      if (!row || Date.parse(row.expires_at) <= Date.now()) return { reason: 'expired_token' }
      if (row.state === 'denied') return { reason: 'access_denied' }
      if (row.state === 'used') return { reason: 'used' }
      const used = row.state === 'allowed' ? { state: 'used' as const } : {}
      await trx
        .updateTable('device_codes')
        .set({ ...used, asked_at: new Date().toISOString() })
        .where('hash', '=', hash)
        .execute()
      if (row.state === 'pending' || !row.account || !row.handle)
        return { reason: tooSoon(row.asked_at) ? 'slow_down' : 'authorization_pending' }
      const { token } = await makeToken(trx, row.account, `origami login on ${row.host}`)
      return { token, handle: row.handle }
    })
  }

  /** Forgets what is too old. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const now = new Date().toISOString()
    await slices.run('device codes', signal, async (rows) => {
      const old = this.db.selectFrom('device_codes').select('hash').where('expires_at', '<', now).limit(rows)
      const { numDeletedRows } = await this.db.deleteFrom('device_codes').where('hash', 'in', old).executeTakeFirst()
      return Number(numDeletedRows)
    })
  }
}

/** Half an interval is forgiven: a timer and a network are not exact. */
const tooSoon = (askedAt: string | null): boolean =>
  askedAt !== null && Date.now() - Date.parse(askedAt) < deviceTimes.interval * 500

/** `ABCD-EFGH`: 20^8 of them. */
function randomUserCode(): string {
  const four = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return `${four()}-${four()}`
}

/** As people type it: small letters, no hyphen, a space. */
function normal(userCode: string): string {
  const typed = userCode.toUpperCase().replaceAll(/[^A-Z]/g, '')
  return `${typed.slice(0, 4)}-${typed.slice(4)}`
}
