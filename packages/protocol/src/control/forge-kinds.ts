/** The kinds of forge there are. A new one is a type error wherever a table of kinds lacks it. */
export const forgeKinds = ['github', 'folder'] as const
export type ForgeKind = (typeof forgeKinds)[number]

/**
 * What the web server, the daemon and the command must all know of a kind.
 * How the web server asks a forge is in a room of its own, `web/server/forges`.
 */
interface ForgeTraits {
  /** What follows the host in a link, for people. */
  readonly linkShape: string
  /** What follows the host in a link: `owner`, where slashes are groups in groups, and `name`. */
  readonly linkPath: RegExp
  /** The user name that git gives with a token; null where nobody has tokens. */
  readonly gitUser: string | null
  /** Whether people sign in there, by an OAuth app of the operator's. */
  readonly signsIn: boolean
}

export const forgeTraits: Readonly<Record<ForgeKind, ForgeTraits>> = {
  github: { linkShape: 'owner/name', linkPath: pathBelow(1), gitUser: 'x-access-token', signsIn: true },
  folder: { linkShape: 'owner/name', linkPath: pathBelow(20), gitUser: null, signsIn: false },
}

/** The path of a repository below an owner, or below groups in groups; GitLab lets those be 20 deep. */
function pathBelow(groups: number, group = '[A-Za-z0-9][A-Za-z0-9-]{0,99}'): RegExp {
  const owner = `${group}(?:/${group}){0,${groups - 1}}`
  return new RegExp(`^(?<owner>${owner})/(?<name>[A-Za-z0-9._-]{1,100}?)(?:\\.git)?/?$`)
}
