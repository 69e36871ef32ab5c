import { createHash } from 'node:crypto'
import type { Slices } from '@origami/host/slices'
import type { ForgeEntry } from '@origami/protocol/control'
import { z } from 'zod'
import type { OAuthApp, WebLimits } from '../config.ts'
import { cappedFetch, forgeCaps } from '../forges/capped-fetch.ts'
import { ForgeError, GithubApi } from '../forges/github.ts'
import { hashOf, randomSecret, type Secrets } from '../secrets.ts'
import type { AccountRow, Db } from '../store/open.ts'
import { accountOf } from './accounts.ts'
import type { Deployers } from './deployers.ts'
import { Refused } from './who.ts'

const text = z.string().max(5000).optional()
const exchanged = z.object({ access_token: text, scope: text, error: text, error_description: text })

export interface SignInParts {
  readonly db: Db
  readonly secrets: Secrets
  readonly forges: readonly ForgeEntry[]
  readonly oauth: Readonly<Record<string, OAuthApp>>
  /** Where people come back to, by the forge's host. */
  readonly callback: (host: string) => string
  readonly deployers: Deployers
  readonly limits: WebLimits
}

/** Sign-in at a forge: OAuth 2.0 with state and PKCE (RFC 7636, S256). A state is bound to one browser, good once, and not for long. */
export class SignIn {
  private readonly parts: SignInParts

  constructor(parts: SignInParts) {
    this.parts = parts
  }

  /** The forge's page to send a browser to. `scope` is empty, or `repo` for private repositories. */
  async start(host: string, visitor: string, scope: '' | 'repo', returnTo: string): Promise<string> {
    const { forge, app } = this.forge(host)
    const [state, verifier] = [randomSecret(), randomSecret()]
    const expires_at = new Date(Date.now() + this.parts.limits.signInMs).toISOString()
    await this.parts.db
      .insertInto('oauth_states')
      .values({ hash: hashOf(state), visitor, forge: host, verifier, scope, return_to: localPath(returnTo), expires_at })
      .execute()
    const url = new URL('/login/oauth/authorize', forge.web)
    url.search = new URLSearchParams({
      client_id: app.clientId,
      redirect_uri: this.parts.callback(host),
      state,
      scope,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString()
    return url.href
  }

  /** Ends what `start` began. Throws Refused for a state that is foreign, old or used, and for a code that the forge refuses. */
  async finish(
    host: string,
    visitor: string,
    query: { code?: string; state?: string; error?: string },
  ): Promise<{ account: AccountRow; returnTo: string }> {
    const { forge, app } = this.forge(host)
    const pending = await this.take(query.state ?? '')
    if (!pending || pending.visitor !== visitor || pending.forge !== host || pending.expires_at < new Date().toISOString())
      throw new Refused(422, 'This sign-in was not begun in this browser, or too long ago; begin again.')
    if (!query.code) throw new Refused(422, `${host} did not sign you in: ${query.error ?? 'it gave no code'}`)
    const { token, scope } = await this.exchange(forge, app, query.code, pending.verifier)
    const user = await new GithubApi(forge, token, this.parts.limits).user()
    const account = await accountOf(this.parts.db, host, user, new Date().toISOString())
    const identity = { login: user.login, token: this.parts.secrets.forgeTokens.seal(token, account.id), scope }
    await this.parts.db
      .insertInto('identities')
      .values({ forge: host, subject: user.subject, account: account.id, ...identity })
      .onConflict((conflict) => conflict.columns(['forge', 'subject']).doUpdateSet(identity))
      .execute()
    await this.parts.deployers.seen(host, user)
    return { account, returnTo: pending.return_to }
  }

  /** An account's token at a forge, and what it may. Undefined: they never signed in there. */
  async tokenOf(account: AccountRow, host: string): Promise<{ token: string; scope: string } | undefined> {
    const row = await this.parts.db
      .selectFrom('identities')
      .selectAll()
      .where('account', '=', account.id)
      .where('forge', '=', host)
      .executeTakeFirst()
    return row && { token: this.parts.secrets.forgeTokens.unseal(row.token, account.id), scope: row.scope }
  }

  /** Forgets sign-ins that were begun and not ended. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const now = new Date().toISOString()
    await slices.run('sign-ins', signal, async (rows) => {
      const old = this.parts.db.selectFrom('oauth_states').select('hash').where('expires_at', '<', now).limit(rows)
      const { numDeletedRows } = await this.parts.db.deleteFrom('oauth_states').where('hash', 'in', old).executeTakeFirst()
      return Number(numDeletedRows)
    })
  }

  private async take(state: string) {
    return this.parts.db.deleteFrom('oauth_states').where('hash', '=', hashOf(state)).returningAll().executeTakeFirst()
  }

  /** Errors come with status 200 and a field `error`. */
  private async exchange(
    forge: ForgeEntry,
    app: OAuthApp,
    code: string,
    verifier: string,
  ): Promise<{ token: string; scope: string }> {
    const request = {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: app.clientId,
        client_secret: app.clientSecret,
        code,
        redirect_uri: this.parts.callback(forge.host),
        code_verifier: verifier,
      }),
    }
    const answer = await cappedFetch(new URL('/login/oauth/access_token', forge.web), request, forgeCaps(this.parts.limits))
      .then(async (response) => exchanged.parse(await response.json()))
      .catch((cause: unknown) => {
        throw new ForgeError(forge.host, `${forge.host} could not be asked; try again later.`, { cause })
      })
    if (!answer.access_token)
      throw new Refused(
        422,
        `${forge.host} refused the sign-in: ${answer.error_description ?? answer.error ?? 'it gave no token'}`,
      )
    return { token: answer.access_token, scope: answer.scope ?? '' }
  }

  private forge(host: string): { forge: ForgeEntry; app: OAuthApp } {
    const [forge, app] = [this.parts.forges.find((entry) => entry.host === host), this.parts.oauth[host]]
    if (!forge || !app) throw new Refused(404, `Nobody signs in with ${host} here.`)
    return { forge, app }
  }
}

/** A path of ours; anything else is the gallery. */
export const localPath = (path: string): string => (/^\/(?![/\\])/.test(path) ? path : '/')
