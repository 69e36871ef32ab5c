import type { Db } from './open.ts'

/** A login at a forge that the operator listed. */
export interface ListedLogin {
  readonly forge: string
  readonly login: string
}

/** Somebody who may deploy besides the owner. */
export interface ListedDeployer {
  readonly forge: string
  /** The forge's own number for the person. */
  readonly subject: string
  /** Their login when they last signed in here. Null: they never did. */
  readonly login: string | null
}

/** All of them, by forge and number. */
export async function listDeployers(db: Db): Promise<ListedDeployer[]> {
  return db
    .selectFrom('deployers')
    .leftJoin('identities', (join) =>
      join.onRef('identities.forge', '=', 'deployers.forge').onRef('identities.subject', '=', 'deployers.subject'),
    )
    .select(['deployers.forge', 'deployers.subject', 'identities.login'])
    .orderBy('deployers.forge')
    .orderBy('deployers.subject')
    .execute()
}

type DeployerKey = Pick<ListedDeployer, 'forge' | 'subject'>

/** False: they may deploy already. */
export async function addDeployer(trx: Db, { forge, subject }: DeployerKey): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('deployers')
    .values({ forge, subject })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function removeDeployer(trx: Db, { forge, subject }: DeployerKey): Promise<void> {
  await trx.deleteFrom('deployers').where('forge', '=', forge).where('subject', '=', subject).execute()
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

/** The logins that were looked up, so that their persons are known. */
export async function resolvedLogins(db: Db): Promise<ListedLogin[]> {
  return db.selectFrom('deployer_seeds').selectAll().execute()
}

/** Marks a login as resolved. False: it was already. */
export async function settleLogin(trx: Db, { forge, login }: ListedLogin): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('deployer_seeds')
    .values({ forge, login })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Stores that a login was looked up, and that its person may deploy. Done once for each login and never again. */
export async function resolveLogin(db: Db, { forge, login }: ListedLogin, subject: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (await settleLogin(trx, { forge, login })) await addDeployer(trx, { forge, subject })
  })
}
