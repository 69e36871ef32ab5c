import { type TokenInfo, type TokenScope, tokenScopes } from '@origami/protocol/control'
import type { Transaction } from 'kysely'
import { type Account, accountColumns, toAccount } from './accounts.ts'
import type { Db, Tables } from './open.ts'

export interface NewToken {
  readonly id: string
  readonly account: string
  readonly name: string
  readonly scopes: readonly TokenScope[]
  /** Null: never. */
  readonly expires_at: string | null
  /** The hash of its secret. */
  readonly hash: string
}

export async function addToken(db: Db | Transaction<Tables>, token: NewToken, now: string): Promise<void> {
  await db
    .insertInto('tokens')
    .values({ ...token, scopes: token.scopes.join(' '), created_at: now, used_at: null })
    .execute()
}

/** An account's tokens, oldest first. */
export async function tokensOf(db: Db, account: string): Promise<TokenInfo[]> {
  const rows = await db
    .selectFrom('tokens')
    .select(['id', 'name', 'scopes', 'created_at', 'used_at', 'expires_at'])
    .where('account', '=', account)
    .orderBy('created_at')
    .execute()
  return rows.map(({ scopes, ...row }) => ({ ...row, scopes: scopesIn(scopes) }))
}

/** A token that somebody sent. */
export interface KnownToken {
  readonly id: string
  readonly account: Account
  readonly scopes: readonly TokenScope[]
  readonly usedAt: string | null
}

/** Undefined: nobody has it, or it has expired. */
export async function tokenOf(db: Db, hash: string, now: string): Promise<KnownToken | undefined> {
  const row = await db
    .selectFrom('tokens')
    .innerJoin('accounts', 'accounts.id', 'tokens.account')
    .select(accountColumns)
    .select(['tokens.id as token', 'tokens.scopes', 'tokens.used_at'])
    .where('tokens.hash', '=', hash)
    .where(({ eb, or }) => or([eb('tokens.expires_at', 'is', null), eb('tokens.expires_at', '>', now)]))
    .executeTakeFirst()
  return row && { id: row.token, account: toAccount(row), scopes: scopesIn(row.scopes), usedAt: row.used_at }
}

const scopesIn = (text: string): TokenScope[] =>
  text.split(' ').filter((word): word is TokenScope => word in tokenScopes)

export async function noteTokenUse(db: Db, hash: string, now: string): Promise<void> {
  await db.updateTable('tokens').set({ used_at: now }).where('hash', '=', hash).execute()
}

/** Only a token of this account is removed. Returns its name. Undefined: there is none. */
export async function removeToken(db: Db, id: string, account: string): Promise<string | undefined> {
  const removed = db.deleteFrom('tokens').where('id', '=', id).where('account', '=', account).returning('name')
  return (await removed.executeTakeFirst())?.name
}
