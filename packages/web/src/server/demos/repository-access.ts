import { LinkError, parseRepoLink, type RepoLink } from '@origami/protocol/control'
import type { AnswersItself } from '@origami/serving'
import type { SignIn } from '../accounts/sign-in.ts'
import { Refused } from '../accounts/who.ts'
import type { Forge, FoundRepo, RepositoryReader } from '../forges/forge.ts'
import { forgeAt } from '../forges/forges.ts'
import type { Account } from '../store/accounts.ts'

/** The forge must be asked first. `authorize` is the address for that. */
class NeedsAuthorization extends Error implements AnswersItself {
  override readonly name = 'NeedsAuthorization'
  readonly statusCode = 403
  readonly answer: AnswersItself['answer']
  readonly authorize: string
  constructor(message: string, authorize: string) {
    super(message)
    this.authorize = authorize
    this.answer = { error: message, authorize }
  }
}

/** A repository that the account may read. */
export interface RepositoryAccess {
  readonly repo: RepoLink
  /** The forge's description, and the reader for further questions. Undefined for a forge that has no API. */
  readonly seen: { readonly found: FoundRepo; readonly reader: RepositoryReader } | undefined
  /** The account's token, for git. */
  readonly token: string | null
}

interface AccessParts {
  readonly forges: readonly Forge[]
  readonly signIn: SignIn
}

/**
 * Checks whether this account may read the repository. Throws Refused, or NeedsAuthorization when wider permission
 * could help.
 */
export async function accessRepository(
  { forges, signIn }: AccessParts,
  account: Account,
  link: string,
): Promise<RepositoryAccess> {
  const repo = parseLink(link, forges)
  const { host } = repo.forge
  const forge = forgeAt(forges, host)
  if (!forge?.repositories) return { repo, seen: undefined, token: null }
  const grant = await signIn.grantAt(account, host)
  const reader = forge.repositories.reader(grant)
  const found = await reader.find(repo)
  if (found) return { repo, seen: { found, reader }, token: grant?.token ?? null }
  const isAllAsked = grant !== undefined && forge.repositories.readsPrivate(grant)
  if (!forge.signIn || isAllAsked) throw new Refused(404, `${repo.canonical} was not found, or is not yours to read.`)
  const back = `/-/new?link=${encodeURIComponent(repo.canonical)}`
  throw new NeedsAuthorization(
    `${repo.canonical} was not found. If it is private, allow Origami to read it.`,
    `/-/sign-in/${host}?scope=repo&return=${encodeURIComponent(back)}`,
  )
}

function parseLink(link: string, forges: readonly Forge[]): RepoLink {
  const entries = forges.map(({ entry }) => entry)
  try {
    return parseRepoLink(link.trim(), entries)
  } catch (error) {
    if (error instanceof LinkError) throw new Refused(422, error.message)
    throw error
  }
}
