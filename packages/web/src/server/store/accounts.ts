import { randomId } from '@origami/protocol/demo'
import type { AccountRow, Db } from './open.ts'

/** Somebody who signed in here. */
export interface Account {
  readonly id: string
  /** The account's part of an address. */
  readonly handle: string
  readonly name: string | null
  readonly avatar: string | null
  /** Whether this account is the operator's. */
  readonly owner: boolean
}

/** An account's identity at one forge. */
export interface Identity {
  readonly forge: string
  /** The forge's own number for it. */
  readonly subject: string
  readonly account: string
  readonly login: string
  /** The encrypted token. */
  readonly token: Uint8Array
  readonly scope: string
}

type Columns = Pick<AccountRow, 'id' | 'handle' | 'name' | 'avatar' | 'owner'>

export const accountColumns = [
  'accounts.id',
  'accounts.handle',
  'accounts.name',
  'accounts.avatar',
  'accounts.owner',
] as const

export const toAccount = ({ id, handle, name, avatar, owner }: Columns): Account => ({
  id,
  handle,
  name,
  avatar,
  owner: owner === 1,
})

export async function accountByIdentity(db: Db, forge: string, subject: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom('identities')
    .innerJoin('accounts', 'accounts.id', 'identities.account')
    .select(accountColumns)
    .where('identities.forge', '=', forge)
    .where('identities.subject', '=', subject)
    .executeTakeFirst()
  return row && toAccount(row)
}

export async function accountByHandle(db: Db, handle: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom('accounts')
    .select(accountColumns)
    .where('handle', '=', handle.toLowerCase())
    .executeTakeFirst()
  return row && toAccount(row)
}

export async function ownersAccount(db: Db): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').select(accountColumns).where('owner', '=', 1).executeTakeFirst()
  return row && toAccount(row)
}

export async function addAccount(db: Db, about: Omit<Account, 'id'>, now: string): Promise<Account> {
  const account = { id: randomId(), ...about }
  await db
    .insertInto('accounts')
    .values({ ...account, owner: about.owner ? 1 : 0, created_at: now })
    .execute()
  return account
}

/** Stores what a forge last said about an account. */
export async function keepIdentity(db: Db, { forge, subject, account, ...said }: Identity): Promise<void> {
  await db
    .insertInto('identities')
    .values({ forge, subject, account, ...said })
    .onConflict((conflict) => conflict.columns(['forge', 'subject']).doUpdateSet(said))
    .execute()
}

/** Undefined: they never signed in there. */
export async function identityOf(db: Db, account: string, forge: string): Promise<Identity | undefined> {
  return db
    .selectFrom('identities')
    .selectAll()
    .where('account', '=', account)
    .where('forge', '=', forge)
    .executeTakeFirst()
}
