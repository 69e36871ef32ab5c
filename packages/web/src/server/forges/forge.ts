import type { ForgeEntry, RepoLink } from '@origami/protocol/control'
import type { AnswersItself } from '@origami/serving'
import type { OAuthApp } from '../config.ts'
import type { ForgeLimits } from './capped-fetch.ts'

/**
 * A forge as the web server asks it; each kind is one file beside this one. What a kind or its entry cannot do is
 * undefined: a folder can do none of it, and a sign-in alone (OpenID Connect) has no repositories.
 * Commit statuses and hooks will be two more of these.
 */
export interface Forge {
  readonly entry: ForgeEntry
  /** Undefined also where the operator gave no OAuth app. */
  readonly signIn: ForgeSignIn | undefined
  readonly people: ForgePeople | undefined
  readonly repositories: ForgeRepositories | undefined
  readonly pages: ForgePages | undefined
}

/** What a forge is made of. */
export interface ForgeParts {
  readonly entry: ForgeEntry
  readonly app: OAuthApp | undefined
  readonly limits: ForgeLimits
}

/** OAuth 2.0 with PKCE (RFC 7636, S256), in the forge's own way. */
export interface ForgeSignIn {
  /** The forge's page to send a browser to. Throws ForgeError. */
  authorize(request: AuthorizeRequest): Promise<string>
  /** Ends it with the code that the browser came back with. Throws CodeRefused, ForgeError. */
  finish(returned: ReturnedCode): Promise<{ user: ForgeUser; grant: Grant }>
}

export interface AuthorizeRequest {
  /** Comes back with the browser. */
  readonly state: string
  /** Where the browser comes back to. */
  readonly redirect: string
  /** SHA-256 of the verifier, as base64url. */
  readonly challenge: string
  /** Whether private repositories are asked for too. */
  readonly privateRepositories: boolean
}

export interface ReturnedCode {
  readonly code: string
  readonly verifier: string
  /** The one that was asked for. */
  readonly redirect: string
}

/** What somebody allowed Origami: a token, and its scope in the forge's own words. */
export interface Grant {
  readonly token: string
  readonly scope: string
}

export interface ForgeUser {
  /** The forge's own number for it: logins get renamed. */
  readonly subject: string
  readonly login: string
  readonly name: string | null
  readonly avatar: string | null
}

interface ForgePeople {
  /** Whose login it is now, undefined for nobody's. Throws ForgeError. */
  find(login: string): Promise<ForgeUser | undefined>
}

interface ForgeRepositories {
  /** Whether private ones can be read with this grant. */
  readsPrivate(grant: Grant): boolean
  /** Reads what the grant's person may see; without one, what anybody may. */
  reader(grant: Grant | undefined): RepositoryReader
}

/** Each throws ForgeError. What is not there, and what may not be seen, is undefined. */
export interface RepositoryReader {
  /** Those of the grant's person, pushed to last first, at most `limits.repositories`; `cut`: there may be more. */
  mine(): Promise<{ all: readonly FoundRepo[]; cut: boolean }>
  find(repo: RepoPath): Promise<FoundRepo | undefined>
  /** Whether a file is at this path of the newest commit. */
  has(repo: RepoPath, path: string): Promise<boolean>
  /** The newest commit, with the first line of its message. */
  head(repo: RepoPath): Promise<{ sha: string; message: string } | undefined>
}

export type RepoPath = Pick<RepoLink, 'owner' | 'name'>

/** A repository as the forge shows it to who asks. */
export interface FoundRepo {
  readonly owner: string
  readonly name: string
  readonly description: string | null
  readonly private: boolean
  readonly pushedAt: string | null
}

/** Addresses on the forge, for people. */
export interface ForgePages {
  commit(repo: RepoPath, sha: string): string
  file(repo: RepoPath, sha: string, path: string): string
}

/** The forge would not tell. `signedOut`: it no longer knows the token, and asking its person anew helps. */
export class ForgeError extends Error implements AnswersItself {
  override readonly name = 'ForgeError'
  readonly statusCode: number
  readonly answer: AnswersItself['answer']
  readonly host: string
  readonly signedOut: boolean
  constructor(host: string, message: string, { signedOut = false, cause }: { signedOut?: boolean; cause?: unknown }) {
    super(message, { cause })
    this.host = host
    this.signedOut = signedOut
    this.statusCode = signedOut ? 403 : 502
    this.answer = { error: message, ...(signedOut ? { authorize: `/-/sign-in/${host}?return=/-/new` } : {}) }
  }
}

/** What an answer without what was asked for means; undefined where none came, or none that can be read. */
export function forgeError(host: string, status: number | undefined, cause?: unknown): ForgeError {
  if (status === 401)
    return new ForgeError(host, `${host} no longer knows your sign-in; sign in there again.`, {
      signedOut: true,
      cause,
    })
  if (status === 403 || status === 429)
    return new ForgeError(host, `${host} answers no more questions for a while; try again later.`, { cause })
  return new ForgeError(host, `${host} could not be asked; try again later.`, { cause })
}

/** The forge took no sign-in for this code. The message says why. */
export class CodeRefused extends Error {
  override readonly name = 'CodeRefused'
}
