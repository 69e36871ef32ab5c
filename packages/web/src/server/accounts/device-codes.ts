import { randomInt } from 'node:crypto'
import type { Slices } from '@origami/host/slices'
import type { DeviceReason } from '@origami/protocol/control'
import { Full } from '@origami/protocol/demo'
import type { Transaction } from 'kysely'
import type { WebLimits } from '../config.ts'
import { randomSecret, secretHash } from '../secrets.ts'
import type { Account } from '../store/accounts.ts'
import {
  addDeviceCode,
  answerDevice,
  countDeviceCodes,
  type DeviceRequest,
  deviceCodeOf,
  noteAsked,
  pendingDevice,
  sweepDeviceCodes,
} from '../store/device-codes.ts'
import type { Db, InTransaction, Tables } from '../store/open.ts'
import { makeToken } from './tokens.ts'

/** In seconds, as in RFC 8628. They are no settings, because the command and the page state them in their texts. */
export const deviceTimes = { expires: 600, interval: 2 } as const
/** It has no vowels, so that no code is a word, and no letters that are confused with others (RFC 8628, 6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

/** A token that was made for a program, and the account that let it in. */
interface LetIn {
  readonly id: string
  readonly name: string
  readonly account: Pick<Account, 'id' | 'handle'>
}

/**
 * Signs in a program by a code that the program shows and a person confirms on a page (RFC 8628). Codes are stored as
 * hashes, for ten minutes.
 */
export class DeviceCodes {
  private readonly db: Db
  private readonly limits: Pick<WebLimits, 'deviceCodes'>

  constructor(db: Db, limits: Pick<WebLimits, 'deviceCodes'>) {
    this.db = db
    this.limits = limits
  }

  /** Throws Full when very many are pending. */
  async begin(asking: DeviceRequest): Promise<{ deviceCode: string; userCode: string }> {
    const pending = await countDeviceCodes(this.db, new Date().toISOString())
    if (pending >= this.limits.deviceCodes)
      throw new Full('Too many programs ask to sign in just now; try again in ten minutes.', 600)
    const [deviceCode, userCode] = [randomSecret(), randomUserCode()]
    const expires = new Date(Date.now() + deviceTimes.expires * 1000).toISOString()
    await addDeviceCode(this.db, { hash: secretHash(deviceCode), user_hash: secretHash(userCode) }, asking, expires)
    return { deviceCode, userCode }
  }

  /** The program that asks under the code which a person entered. Undefined: there is none, or not any more. */
  async pending(userCode: string): Promise<(DeviceRequest & { readonly expires_at: string }) | undefined> {
    return pendingDevice(this.db, secretHash(normal(userCode)), new Date().toISOString())
  }

  /**
   * Allows or denies the program on behalf of an account, and does more in that transaction. False: it was answered
   * before, or is too old.
   */
  async answer(userCode: string, account: Account, allow: boolean, more: InTransaction): Promise<boolean> {
    const said = { state: allow ? 'allowed' : 'denied', account: account.id } as const
    return this.db.transaction().execute(async (trx) => {
      const isAnswered = await answerDevice(trx, secretHash(normal(userCode)), said, new Date().toISOString())
      if (isAnswered) await more(trx)
      return isAnswered
    })
  }

  /**
   * Answers a program that polls: the token, once, or why there is none yet or at all. `onToken` is called in the
   * transaction in which it is made.
   */
  async take(
    deviceCode: string,
    onToken: (trx: Transaction<Tables>, made: LetIn) => Promise<void>,
  ): Promise<{ token: string; handle: string } | { reason: DeviceReason }> {
    const hash = secretHash(deviceCode)
    return this.db.transaction().execute(async (trx) => {
      const row = await deviceCodeOf(trx, hash)
      if (!row || Date.parse(row.expires_at) <= Date.now()) return { reason: 'expired_token' }
      if (row.state === 'denied') return { reason: 'access_denied' }
      if (row.state === 'used') return { reason: 'used' }
      const used = row.state === 'allowed' ? { state: 'used' as const } : {}
      await noteAsked(trx, hash, { ...used, asked_at: new Date().toISOString() })
      if (row.state === 'pending' || !row.account || !row.handle)
        return { reason: tooSoon(row.asked_at) ? 'slow_down' : 'authorization_pending' }
      const name = `origami login on ${row.host}`
      const { id, token } = await makeToken(trx, row.account, { name, scopes: ['run', 'deploy'], days: 365 })
      await onToken(trx, { id, name, account: { id: row.account, handle: row.handle } })
      return { token, handle: row.handle }
    })
  }

  /** Removes codes that are too old. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const now = new Date().toISOString()
    await slices.run('device codes', signal, (rows) => sweepDeviceCodes(this.db, now, rows))
  }
}

/** Half an interval is tolerated, because timers and networks are not exact. */
const tooSoon = (askedAt: string | null): boolean =>
  askedAt !== null && Date.now() - Date.parse(askedAt) < deviceTimes.interval * 500

/** A code such as `BCDF-GHJK`. There are 20^8 of them. */
function randomUserCode(): string {
  const four = () => Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')
  return `${four()}-${four()}`
}

/** Accepts a code as people type it: lower case, without the hyphen, with spaces. */
function normal(userCode: string): string {
  const typed = userCode.toUpperCase().replaceAll(/[^A-Z]/g, '')
  return `${typed.slice(0, 4)}-${typed.slice(4)}`
}
