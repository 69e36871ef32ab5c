import { z } from 'zod'
import type { OAuthApp } from '../config.ts'
import { cappedFetch, type ForgeLimits, forgeCaps } from './capped-fetch.ts'
import { type AuthorizeRequest, CodeRefused, forgeError, type Grant, type ReturnedCode } from './forge.ts'

const text = z.string().max(5000).optional()
const tokenAnswer = z.object({ access_token: text, scope: text, error: text, error_description: text })

/** The forge's page on which a person is asked for permission (RFC 6749, 4.1.1; RFC 7636, 4.3). */
export function authorizeUrl(page: URL, app: OAuthApp, scope: string, asked: AuthorizeRequest): string {
  const url = new URL(page)
  const parameters = {
    response_type: 'code',
    client_id: app.clientId,
    redirect_uri: asked.redirect,
    state: asked.state,
    scope,
    code_challenge: asked.challenge,
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/**
 * Exchanges a code for a token (RFC 6749, 4.1.3). A refusal is recognised by its field `error`, since GitHub sends it
 * with status 200. Throws CodeRefused, ForgeError.
 */
export async function exchangeCode(
  host: string,
  endpoint: URL,
  app: OAuthApp,
  { code, verifier, redirect }: ReturnedCode,
  limits: ForgeLimits,
): Promise<Grant> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: app.clientId,
    client_secret: app.clientSecret,
    code,
    redirect_uri: redirect,
    code_verifier: verifier,
  })
  const request = { method: 'POST', headers: { accept: 'application/json' }, body }
  const answer = await cappedFetch(endpoint, request, forgeCaps(limits))
    .then(async (response) => tokenAnswer.parse(await response.json()))
    .catch((cause: unknown) => {
      throw forgeError(host, undefined, cause)
    })
  const { access_token: token, scope = '', error, error_description: why = error ?? 'it gave no token' } = answer
  if (!token) throw new CodeRefused(`${host} refused the sign-in: ${why}`)
  return { token, scope }
}
