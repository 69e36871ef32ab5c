import { randomId } from '@origami/protocol/demo'
import type { Transaction } from 'kysely'
import { hashOf, randomSecret } from '../secrets.ts'
import type { Db, Tables } from '../store/open.ts'

/** A new token of an account, whose secret is told this once. */
export async function makeToken(
  db: Db | Transaction<Tables>,
  account: string,
  name: string,
): Promise<{ id: string; name: string; token: string }> {
  const [id, token] = [randomId(), `ori_${randomSecret()}`]
  await db
    .insertInto('tokens')
    .values({ id, account, name, hash: hashOf(token), created_at: new Date().toISOString(), used_at: null })
    .execute()
  return { id, name, token }
}
