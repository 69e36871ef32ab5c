import type { TokenInfo } from '@origami/protocol/control'
import type { Transaction } from 'kysely'
import { type Account, accountColumns, toAccount } from './accounts.ts'
import type { Db, Tables } from './open.ts'

export interface NewToken {
  readonly id: string
  readonly account: string
  readonly name: string
  /** The hash of its secret. */
  readonly hash: string
}

export async function addToken(db: Db | Transaction<Tables>, token: NewToken, now: string): Promise<void> {
  await db
    .insertInto('tokens')
    .values({ ...token, created_at: now, used_at: null })
    .execute()
}

/** An account's tokens, oldest first. */
export async function tokensOf(db: Db, account: string): Promise<TokenInfo[]> {
  return db
    .selectFrom('tokens')
    .select(['id', 'name', 'created_at', 'used_at'])
    .where('account', '=', account)
    .orderBy('created_at')
    .execute()
}

/** The account of a token, and when it was last used. */
export async function accountOfToken(
  db: Db,
  hash: string,
): Promise<{ id: string; account: Account; usedAt: string | null } | undefined> {
  const row = await db
    .selectFrom('tokens')
    .innerJoin('accounts', 'accounts.id', 'tokens.account')
    .select(accountColumns)
    .select(['tokens.id as token', 'tokens.used_at'])
    .where('tokens.hash', '=', hash)
    .executeTakeFirst()
  return row && { id: row.token, account: toAccount(row), usedAt: row.used_at }
}

export async function noteTokenUse(db: Db, hash: string, now: string): Promise<void> {
  await db.updateTable('tokens').set({ used_at: now }).where('hash', '=', hash).execute()
}

/** Only a token of this account is removed. Returns its name. Undefined: there is none. */
export async function removeToken(db: Db, id: string, account: string): Promise<string | undefined> {
  const removed = db.deleteFrom('tokens').where('id', '=', id).where('account', '=', account).returning('name')
  return (await removed.executeTakeFirst())?.name
}
