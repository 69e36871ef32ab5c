import type { newToken } from '@origami/protocol/control'
import { randomId } from '@origami/protocol/demo'
import type { z } from 'zod'
import { randomSecret, secretHash } from '../secrets.ts'
import { addToken } from '../store/tokens.ts'

const dayMs = 86_400_000

/**
 * Makes a token for an account. Its secret is returned only here, because only a hash is stored. `db` may be a
 * transaction.
 */
export async function makeToken(
  db: Parameters<typeof addToken>[0],
  account: string,
  { name, scopes, days }: z.output<typeof newToken>,
): Promise<{ id: string; name: string; token: string }> {
  const [id, token] = [randomId(), `ori_${randomSecret()}`]
  const expires_at = days === null ? null : new Date(Date.now() + days * dayMs).toISOString()
  const row = { id, account, name, scopes, expires_at, hash: secretHash(token) }
  await addToken(db, row, new Date().toISOString())
  return { id, name, token }
}
