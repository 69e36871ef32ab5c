import type { ForgeEntry, RepoLink } from '@origami/protocol/control'
import type { AnswersItself } from '@origami/serving'
import type { OAuthApp } from '../config.ts'
import type { ForgeLimits } from './capped-fetch.ts'

/**
 * A forge as the web server uses it. Each kind has one file beside this one. A capability that a kind or its entry
 * lacks is undefined: a folder has none, and a pure sign-in (OpenID Connect) would have no repositories. Commit
 * statuses and hooks will be two more capabilities.
 */
export interface Forge {
  readonly entry: ForgeEntry
  /** Also undefined when the operator configured no OAuth app. */
  readonly signIn: ForgeSignIn | undefined
  readonly people: ForgePeople | undefined
  readonly repositories: ForgeRepositories | undefined
  readonly pages: ForgePages | undefined
}

/** What a forge is made from. */
export interface ForgeParts {
  readonly entry: ForgeEntry
  readonly app: OAuthApp | undefined
  readonly limits: ForgeLimits
}

/** OAuth 2.0 with PKCE (RFC 7636, S256), as this forge implements it. */
export interface ForgeSignIn {
  /** The forge's page to which the browser goes. Throws ForgeError. */
  authorize(request: AuthorizeRequest): Promise<string>
  /** Completes a sign-in with the code that the browser brought back. Throws CodeRefused, ForgeError. */
  finish(returned: ReturnedCode): Promise<{ user: ForgeUser; grant: Grant }>
}

export interface AuthorizeRequest {
  /** Sent back with the browser. */
  readonly state: string
  /** The address to which the browser returns. */
  readonly redirect: string
  /** The verifier's SHA-256 as base64url. */
  readonly challenge: string
  /** Whether permission for private repositories is requested too. */
  readonly privateRepositories: boolean
}

export interface ReturnedCode {
  readonly code: string
  readonly verifier: string
  /** The same redirect address as in the request. */
  readonly redirect: string
}

/** A person's permission for Origami: a token, and its scope in the forge's own terms. */
export interface Grant {
  readonly token: string
  readonly scope: string
}

export interface ForgeUser {
  /** The forge's own number for the account, because logins can be renamed. */
  readonly subject: string
  readonly login: string
  readonly name: string | null
  readonly avatar: string | null
}

interface ForgePeople {
  /** The account that has the login now. Undefined: nobody has it. Throws ForgeError. */
  find(login: string): Promise<ForgeUser | undefined>
}

interface ForgeRepositories {
  /** Whether this grant can read private repositories. */
  readsPrivate(grant: Grant): boolean
  /** Reads what the grant's person may see, or without a grant what anybody may. */
  reader(grant: Grant | undefined): RepositoryReader
}

/** Every method throws ForgeError. Undefined stands for what does not exist or may not be seen. */
export interface RepositoryReader {
  /**
   * The repositories of the grant's person, the last pushed first, at most `limits.repositories`. `cut`: there may be
   * more.
   */
  mine(): Promise<{ all: readonly FoundRepo[]; cut: boolean }>
  find(repo: RepoPath): Promise<FoundRepo | undefined>
  /** Whether the newest commit has a file at this path. */
  has(repo: RepoPath, path: string): Promise<boolean>
  /** The newest commit, with the first line of its message. */
  head(repo: RepoPath): Promise<{ sha: string; message: string } | undefined>
}

export type RepoPath = Pick<RepoLink, 'owner' | 'name'>

/** A repository as the forge shows it to the person who asks. */
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

/**
 * The forge did not answer as it should. `signedOut`: it does not accept the token any more, and its person must sign
 * in again.
 */
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

/**
 * The error for an unexpected answer. An undefined status means that there was no answer, or one that cannot be parsed.
 */
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

/** The forge refused the sign-in for this code. The message says why. */
export class CodeRefused extends Error {
  override readonly name = 'CodeRefused'
}
