import { createHash } from 'node:crypto'
import type { Slices } from '@origami/host/slices'
import type { WebLimits } from '../config.ts'
import { CodeRefused, type Forge, type ForgeSignIn, type ForgeUser, type Grant } from '../forges/forge.ts'
import { forgeAt } from '../forges/forges.ts'
import { randomSecret, type Secrets, secretHash } from '../secrets.ts'
import { type Account, identityOf, keepIdentity } from '../store/accounts.ts'
import type { Db } from '../store/open.ts'
import { addSignIn, sweepSignIns, takeSignIn } from '../store/sign-ins.ts'
import { accountOf } from './accounts.ts'
import type { Deployers } from './deployers.ts'
import { Refused } from './who.ts'

export interface SignInParts {
  readonly db: Db
  readonly secrets: Secrets
  readonly forges: readonly Forge[]
  /** The address to which the forge sends people back, by the forge's host. */
  readonly callback: (host: string) => string
  readonly deployers: Deployers
  readonly limits: WebLimits
}

/** Sign-in at a forge by OAuth 2.0. A state is bound to one browser, works once, and expires soon. */
export class SignIn {
  private readonly parts: SignInParts

  constructor(parts: SignInParts) {
    this.parts = parts
  }

  /** The forge's page to which the browser goes. `scope` is empty, or `repo` for private repositories. */
  async start(host: string, visitor: string, scope: '' | 'repo', returnTo: string): Promise<string> {
    const forge = this.forge(host)
    const [state, verifier] = [randomSecret(), randomSecret()]
    const expires_at = new Date(Date.now() + this.parts.limits.signInMs).toISOString()
    const started = {
      hash: secretHash(state),
      visitor,
      forge: host,
      verifier,
      scope,
      return_to: localPath(returnTo),
      expires_at,
    }
    await addSignIn(this.parts.db, started)
    return forge.authorize({
      state,
      redirect: this.parts.callback(host),
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      privateRepositories: scope === 'repo',
    })
  }

  /**
   * Completes what `start` began. Throws Refused for a state of another browser, an old or a used one, and for a code
   * that the forge refuses.
   */
  async finish(
    host: string,
    visitor: string,
    query: { code?: string; state?: string; error?: string },
  ): Promise<{ account: Account; returnTo: string }> {
    const forge = this.forge(host)
    const pending = await this.take(query.state ?? '')
    if (
      !pending ||
      pending.visitor !== visitor ||
      pending.forge !== host ||
      pending.expires_at < new Date().toISOString()
    )
      throw new Refused(422, 'This sign-in was not begun in this browser, or too long ago; begin again.')
    if (!query.code) throw new Refused(422, `${host} did not sign you in: ${query.error ?? 'it gave no code'}`)
    const returned = { code: query.code, verifier: pending.verifier, redirect: this.parts.callback(host) }
    const { user, grant } = await forge.finish(returned).catch(asRefused)
    const account = await this.keep(host, user, grant)
    await this.parts.deployers.seen(host, user)
    return { account, returnTo: pending.return_to }
  }

  /**
   * Stores account and identity in one transaction, so that of two simultaneous sign-ins the second finds the account
   * of the first.
   */
  private async keep(host: string, user: ForgeUser, grant: Grant): Promise<Account> {
    const { db, secrets } = this.parts
    return db.transaction().execute(async (trx) => {
      const account = await accountOf(trx, host, user, new Date().toISOString())
      const token = secrets.forgeTokens.seal(grant.token, account.id)
      const identity = { login: user.login, token, scope: grant.scope }
      await keepIdentity(trx, { forge: host, subject: user.subject, account: account.id, ...identity })
      return account
    })
  }

  /** What an account has permitted at a forge. Undefined: they never signed in there. */
  async grantAt(account: Account, host: string): Promise<Grant | undefined> {
    const identity = await identityOf(this.parts.db, account.id, host)
    return (
      identity && { token: this.parts.secrets.forgeTokens.unseal(identity.token, account.id), scope: identity.scope }
    )
  }

  /** Removes sign-ins that were begun and not completed. */
  async sweep(slices: Slices, signal?: AbortSignal): Promise<void> {
    const now = new Date().toISOString()
    await slices.run('sign-ins', signal, (rows) => sweepSignIns(this.parts.db, now, rows))
  }

  private async take(state: string) {
    return takeSignIn(this.parts.db, secretHash(state))
  }

  private forge(host: string): ForgeSignIn {
    const signIn = forgeAt(this.parts.forges, host)?.signIn
    if (!signIn) throw new Refused(404, `Nobody signs in with ${host} here.`)
    return signIn
  }
}

function asRefused(error: unknown): never {
  throw error instanceof CodeRefused ? new Refused(422, error.message) : error
}

/** Stands for this server, whose address does not matter for a path. */
const here = 'http://here.invalid'

/**
 * A path of this server, as a browser reads it: it passes over tabs and line breaks, and takes a backslash for a slash.
 * Anything else becomes the gallery.
 */
function localPath(path: string): string {
  if (!path.startsWith('/') || !URL.canParse(path, here)) return '/'
  const { origin, pathname, search, hash } = new URL(path, here)
  // A path that begins with two slashes is the name of a host.
  return origin === here && !pathname.startsWith('//') ? pathname + search + hash : '/'
}
