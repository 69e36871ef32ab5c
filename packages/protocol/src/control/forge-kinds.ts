/** The kinds of forge. After adding one, each table of kinds that lacks it is a type error. */
export const forgeKinds = ['github', 'folder'] as const
export type ForgeKind = (typeof forgeKinds)[number]

/**
 * What the web server, the daemon and the command all need to know about a kind. How the web server calls a forge is in
 * `web/server/forges`.
 */
interface ForgeTraits {
  /** The form of a link after the host, for people. */
  readonly linkShape: string
  /** Matches a link after the host: `owner`, in which slashes separate nested groups, and `name`. */
  readonly linkPath: RegExp
  /** The user name that git sends with a token. Null when this kind has no tokens. */
  readonly gitUser: string | null
  /** Whether people sign in there, with an OAuth app of the operator. */
  readonly signsIn: boolean
}

export const forgeTraits: Readonly<Record<ForgeKind, ForgeTraits>> = {
  github: { linkShape: 'owner/name', linkPath: pathBelow(1), gitUser: 'x-access-token', signsIn: true },
  folder: { linkShape: 'owner/name', linkPath: pathBelow(20), gitUser: null, signsIn: false },
}

/** Matches the path of a repository below an owner or nested groups. GitLab allows 20 levels. */
function pathBelow(groups: number, group = '[A-Za-z0-9][A-Za-z0-9-]{0,99}'): RegExp {
  const owner = `${group}(?:/${group}){0,${groups - 1}}`
  return new RegExp(`^(?<owner>${owner})/(?<name>[A-Za-z0-9._-]{1,100}?)(?:\\.git)?/?$`)
}
