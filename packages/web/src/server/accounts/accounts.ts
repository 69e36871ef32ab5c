import type { AccountInfo } from '@origami/protocol/control'
import type { ForgeUser } from '../forges/forge.ts'
import { type Account, accountByHandle, accountByIdentity, addAccount, ownersAccount } from '../store/accounts.ts'
import type { Db } from '../store/open.ts'

/**
 * The account of a person who signed in at a forge, made at the first sign-in. Its handle never changes afterwards.
 * `db` is a transaction that stores the identity too.
 */
export async function accountOf(db: Db, forge: string, user: ForgeUser, now: string): Promise<Account> {
  const known = await accountByIdentity(db, forge, user.subject)
  if (known) return known
  const handle = await freeHandle(db, user.login)
  return addAccount(db, { handle, name: user.name, avatar: user.avatar, owner: false }, now)
}

/** The account of the operator, who signs in by a one-time link. */
export async function ownerAccount(db: Db, now: string): Promise<Account> {
  return db.transaction().execute(async (trx) => {
    const known = await ownersAccount(trx)
    if (known) return known
    return addAccount(trx, { handle: await freeHandle(trx, 'owner'), name: null, avatar: null, owner: true }, now)
  })
}

export const presentAccount = (account: Account, mayDeploy: boolean): AccountInfo => ({
  handle: account.handle,
  name: account.name,
  avatar: account.avatar,
  owner: account.owner,
  may_deploy: mayDeploy,
})

/**
 * A handle that no account has, of any forge: `ann`, or `ann-2` and so on. It never starts with `-`, which our own
 * pages use.
 */
async function freeHandle(db: Db, wanted: string): Promise<string> {
  const base =
    wanted
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, '-')
      .replace(/^-+/, '') || 'user'
  for (let number = 1; ; number += 1) {
    const handle = number === 1 ? base : `${base}-${number}`
    if (!(await accountByHandle(db, handle))) return handle
  }
}
