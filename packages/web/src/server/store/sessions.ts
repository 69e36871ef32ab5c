import { randomId } from '@origami/protocol/demo'
import { type Account, accountColumns, toAccount } from './accounts.ts'
import type { Db } from './open.ts'

/** `hash` is the hash of the secret in the session's cookie. */
export async function addSession(db: Db, hash: string, account: string, now: string): Promise<void> {
  const session = { id: randomId(), hash, account, created_at: now, agent: null, address: null }
  await db.insertInto('sessions').values(session).execute()
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
