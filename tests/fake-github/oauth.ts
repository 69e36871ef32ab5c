import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Accounts } from './accounts.ts'

/** The page that asks, and its button. */
export async function authorizePage(
  accounts: Accounts,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const asked = request.method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams
  const redirect = asked.get('redirect_uri') ?? ''
  if (asked.get('client_id') !== accounts.app.clientId) return void response.writeHead(404).end('no such app')
  if (!/^http:\/\/(127\.0\.0\.1|localhost):\d+\/-\/callback\//.test(redirect))
    return void response.writeHead(400).end('redirect_uri_mismatch')
  if (request.method !== 'POST') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page(asked))
  const challenge = asked.get('code_challenge_method') === 'S256' ? asked.get('code_challenge') : null
  const code = accounts.code({
    user: accounts.user(asked.get('login') ?? ''),
    scope: asked.get('scope') ?? '',
    redirect,
    challenge,
  })
  const back = new URL(redirect)
  back.search = new URLSearchParams({ code, state: asked.get('state') ?? '' }).toString()
  response.writeHead(302, { location: back.href }).end()
}

/** Exchanges a code for a token. Errors have status 200, as GitHub's have. */
export async function exchange(accounts: Accounts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const sent = await text(request)
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
  const body: Record<string, string> = isForm ? Object.fromEntries(new URLSearchParams(sent)) : JSON.parse(sent)
  const answer = (json: object) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  if (body.client_id !== accounts.app.clientId || body.client_secret !== accounts.app.clientSecret)
    return answer({ error: 'incorrect_client_credentials' })
  const code = accounts.take(body.code ?? '')
  if (!code) return answer({ error: 'bad_verification_code' })
  if (code.redirect !== body.redirect_uri) return answer({ error: 'redirect_uri_mismatch' })
  const verified = createHash('sha256')
    .update(body.code_verifier ?? '')
    .digest('base64url')
  if (code.challenge !== null && code.challenge !== verified)
    return answer({ error: 'bad_verification_code', error_description: 'the code verifier is wrong' })
  answer({ access_token: accounts.token(code), scope: code.scope, token_type: 'bearer' })
}

const page = (asked: URLSearchParams): string => `<!doctype html><title>Authorize</title><form method="post">
${[...asked].map(hiddenField).join('\n')}
<label>Login <input name="login"></label><button>Authorize</button></form>`

const hiddenField = ([name, value]: [string, string]): string =>
  `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`

const escapeHtml = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
