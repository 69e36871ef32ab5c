import type { Transaction } from 'kysely'
import type { Db, Tables } from './open.ts'

/** A program that asks to sign in. */
export interface DeviceRequest {
  /** The name of the program's host, as the program says it. */
  readonly host: string
  readonly agent: string
  readonly address: string
}

/** The hashes of the program's code and of the code for people. */
export interface CodeHashes {
  readonly hash: string
  readonly user_hash: string
}

export async function addDeviceCode(
  db: Db,
  hashes: CodeHashes,
  request: DeviceRequest,
  expires_at: string,
): Promise<void> {
  const fresh = { state: 'pending', account: null, asked_at: null } as const
  await db
    .insertInto('device_codes')
    .values({ ...hashes, ...request, ...fresh, expires_at })
    .execute()
}

export async function countDeviceCodes(db: Db, now: string): Promise<number> {
  const { pending } = await db
    .selectFrom('device_codes')
    .select(({ fn }) => fn.countAll<number>().as('pending'))
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow()
  return Number(pending)
}

/** The program that asks under a person's code and has no answer yet. Undefined: there is none. */
export async function pendingDevice(
  db: Db,
  userHash: string,
  now: string,
): Promise<(DeviceRequest & { readonly expires_at: string }) | undefined> {
  return db
    .selectFrom('device_codes')
    .select(['host', 'agent', 'address', 'expires_at'])
    .where('user_hash', '=', userHash)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** False: it was answered before, or is too old. */
export async function answerDevice(
  db: Db,
  userHash: string,
  answer: { readonly state: 'allowed' | 'denied'; readonly account: string },
  now: string,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('device_codes')
    .set(answer)
    .where('user_hash', '=', userHash)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** The state of a program's request, with the handle of the person who answered it. */
export async function deviceCodeOf(trx: Db | Transaction<Tables>, hash: string) {
  return trx
    .selectFrom('device_codes')
    .leftJoin('accounts', 'accounts.id', 'device_codes.account')
    .select([
      'device_codes.host',
      'device_codes.state',
      'device_codes.account',
      'device_codes.asked_at',
      'device_codes.expires_at',
    ])
    .select('accounts.handle')
    .where('device_codes.hash', '=', hash)
    .executeTakeFirst()
}

/** Stores that the program asked again. `used`: it has its token now. */
export async function noteAsked(
  trx: Db | Transaction<Tables>,
  hash: string,
  change: { readonly asked_at: string; readonly state?: 'used' },
): Promise<void> {
  await trx.updateTable('device_codes').set(change).where('hash', '=', hash).execute()
}

/** Removes at most `rows` of the expired ones. Returns how many. */
export async function sweepDeviceCodes(db: Db, now: string, rows: number): Promise<number> {
  const old = db.selectFrom('device_codes').select('hash').where('expires_at', '<', now).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('device_codes').where('hash', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
