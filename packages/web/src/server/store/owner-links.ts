import type { Db } from './open.ts'

/** Stores the hash of a new link's secret, and removes those that expired. */
export async function addOwnerLink(db: Db, hash: string, expires_at: string, now: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.deleteFrom('owner_links').where('expires_at', '<=', now).execute()
    await trx.insertInto('owner_links').values({ hash, expires_at }).execute()
  })
}

/** Removes a link. False: there is none, or it has expired. */
export async function takeOwnerLink(db: Db, hash: string, now: string): Promise<boolean> {
  const taken = await db.deleteFrom('owner_links').where('hash', '=', hash).returning('expires_at').executeTakeFirst()
  return taken !== undefined && taken.expires_at > now
}
