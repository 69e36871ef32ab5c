import { type Account, accountColumns, toAccount } from './accounts.ts'
import type { Db } from './open.ts'

/** Where a session begins. */
export interface SessionPlace {
  readonly agent: string | null
  readonly address: string | null
}

/** `hash` is the hash of the secret in the session's cookie. */
export async function addSession(
  db: Db,
  hash: string,
  account: string,
  now: string,
  place: SessionPlace,
): Promise<void> {
  await db
    .insertInto('sessions')
    .values({ hash, account, created_at: now, ...place })
    .execute()
}

/** The sessions of an account that began after `oldest`, newest first. */
export async function sessionsOf(db: Db, account: string, oldest: string) {
  return db
    .selectFrom('sessions')
    .select(['hash', 'created_at', 'agent', 'address'])
    .where('account', '=', account)
    .where('created_at', '>', oldest)
    .orderBy('created_at', 'desc')
    .execute()
}

/** Ends one session of an account, or all. */
export async function endSessionsOf(db: Db, account: string, hash: string | undefined): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('account', '=', account)
    .$if(hash !== undefined, (query) => query.where('hash', '=', hash ?? ''))
    .execute()
}

/** The account of a session that began after `oldest`. */
export async function accountOfSession(db: Db, hash: string, oldest: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('accounts', 'accounts.id', 'sessions.account')
    .select(accountColumns)
    .where('sessions.hash', '=', hash)
    .where('sessions.created_at', '>', oldest)
    .executeTakeFirst()
  return row && toAccount(row)
}

export async function endSession(db: Db, hash: string): Promise<void> {
  await db.deleteFrom('sessions').where('hash', '=', hash).execute()
}

/** Removes at most `rows` of the sessions that began at `oldest` or before. Returns how many. */
export async function sweepSessions(db: Db, oldest: string, rows: number): Promise<number> {
  const old = db.selectFrom('sessions').select('hash').where('created_at', '<=', oldest).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('sessions').where('hash', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
