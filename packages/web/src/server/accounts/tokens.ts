import { randomId } from '@origami/protocol/demo'
import { randomSecret, secretHash } from '../secrets.ts'
import { addToken } from '../store/tokens.ts'

/**
 * Makes a token for an account. Its secret is returned only here, because only a hash is stored. `db` may be a
 * transaction.
 */
export async function makeToken(
  db: Parameters<typeof addToken>[0],
  account: string,
  name: string,
): Promise<{ id: string; name: string; token: string }> {
  const [id, token] = [randomId(), `ori_${randomSecret()}`]
  await addToken(db, { id, account, name, hash: secretHash(token) }, new Date().toISOString())
  return { id, name, token }
}
