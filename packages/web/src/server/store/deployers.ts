import type { Db } from './open.ts'

/** A login at a forge that the operator listed. */
export interface ListedLogin {
  readonly forge: string
  readonly login: string
}

export async function isDeployer(db: Db, account: string): Promise<boolean> {
  const found = await db
    .selectFrom('identities')
    .innerJoin('deployers', (join) =>
      join.onRef('deployers.forge', '=', 'identities.forge').onRef('deployers.subject', '=', 'identities.subject'),
    )
    .select('deployers.subject')
    .where('identities.account', '=', account)
    .executeTakeFirst()
  return found !== undefined
}

/** Those of which it is known whose they were when they were looked up. */
export async function resolvedLogins(db: Db): Promise<ListedLogin[]> {
  return db.selectFrom('deployer_seeds').selectAll().execute()
}

/** The login is that account's, by the forge's own number: once, and never anew. */
export async function resolveLogin(db: Db, { forge, login }: ListedLogin, subject: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const seed = await trx
      .insertInto('deployer_seeds')
      .values({ forge, login })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    if (seed.numInsertedOrUpdatedRows === 0n) return
    await trx
      .insertInto('deployers')
      .values({ forge, subject })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  })
}
