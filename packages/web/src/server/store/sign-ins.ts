import type { Db } from './open.ts'

/** A sign-in at a forge that was begun. */
export interface StartedSignIn {
  /** The hash of its state. */
  readonly hash: string
  /** The browser that it is bound to. */
  readonly visitor: string
  readonly forge: string
  readonly verifier: string
  readonly scope: string
  readonly return_to: string
  readonly expires_at: string
}

export async function addSignIn(db: Db, started: StartedSignIn): Promise<void> {
  await db.insertInto('oauth_states').values(started).execute()
}

/** Returns and removes a sign-in, so that each is used once. */
export async function takeSignIn(db: Db, hash: string): Promise<StartedSignIn | undefined> {
  return db.deleteFrom('oauth_states').where('hash', '=', hash).returningAll().executeTakeFirst()
}

/** Removes at most `rows` of the expired ones. Returns how many. */
export async function sweepSignIns(db: Db, now: string, rows: number): Promise<number> {
  const old = db.selectFrom('oauth_states').select('hash').where('expires_at', '<', now).limit(rows)
  const { numDeletedRows } = await db.deleteFrom('oauth_states').where('hash', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
