import type { AccountInfo } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import type { ForgeUser } from '../forges/forge.ts'
import type { AccountRow, Db } from '../store/open.ts'

/** The account of somebody who signed in at a forge, made at the first sign-in. Their handle stays what it was then. */
export async function accountOf(db: Db, forge: string, user: ForgeUser, now: string): Promise<AccountRow> {
  const known = await db
    .selectFrom('identities')
    .innerJoin('accounts', 'accounts.id', 'identities.account')
    .selectAll('accounts')
    .where('identities.forge', '=', forge)
    .where('identities.subject', '=', user.subject)
    .executeTakeFirst()
  return known ?? addAccount(db, user.login, { name: user.name, avatar: user.avatar, owner: 0 }, now)
}

/** The one who runs this server, signed in by a one-time link. */
export async function ownerAccount(db: Db, now: string): Promise<AccountRow> {
  const known = await db.selectFrom('accounts').selectAll().where('owner', '=', 1).executeTakeFirst()
  return known ?? addAccount(db, 'owner', { name: null, avatar: null, owner: 1 }, now)
}

export async function accountByHandle(db: Db, handle: string): Promise<AccountRow | undefined> {
  return db.selectFrom('accounts').selectAll().where('handle', '=', handle.toLowerCase()).executeTakeFirst()
}

export const presentAccount = (row: AccountRow, mayDeploy: boolean): AccountInfo => ({
  handle: row.handle,
  name: row.name,
  avatar: row.avatar,
  owner: row.owner === 1,
  may_deploy: mayDeploy,
})

async function addAccount(
  db: Db,
  wanted: string,
  about: Pick<AccountRow, 'name' | 'avatar' | 'owner'>,
  now: string,
): Promise<AccountRow> {
  const handle = await freeHandle(db, wanted)
  const row = { id: randomId(), handle, ...about, created_at: now }
  await db.insertInto('accounts').values(row).execute()
  return row
}

/** Unique over forges: `ann`, else `ann-2`, … Never starts with `-`, where our own pages are. */
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
