import { z } from 'zod'
import { forgeKinds, forgeTraits } from './forge-kinds.ts'

/**
 * One entry of the operator's table of forges. Links always begin with `https://<host>/`. The other addresses say how
 * to reach the forge, and may also use http, loopback, a folder or a port.
 */
const forgeSchema = z.strictObject({
  host: z.string().regex(/^[a-z0-9.-]+$/),
  kind: z.enum(forgeKinds),
  /** The site where people sign in: `https://github.com`. Absent for a folder. */
  web: z.url().optional(),
  /** The address of its API: `https://api.github.com`. Absent for a folder. */
  api: z.url().optional(),
  /** Git fetches from `<git>/owner/name.git`, by https, http or file. */
  git: z.url({ protocol: /^(https|http|file)$/ }),
  /**
   * The networks (`10.0.0.0/8`) that addresses of the host of `git` may be of besides public ones. An address that
   * stands in `git` itself needs none.
   */
  networks: z.union([z.cidrv4(), z.cidrv6()]).array().optional(),
})
export type ForgeEntry = z.infer<typeof forgeSchema>
/** The table. It may list a host only once. */
export const forgesSchema = forgeSchema
  .array()
  .min(1)
  .superRefine((forges, context) => {
    for (const [at, { host }] of forges.entries())
      if (forges.findIndex((one) => one.host === host) < at)
        context.addIssue({ code: 'custom', path: [at, 'host'], message: `expected each host once, got ${host} again` })
  })

export const github: ForgeEntry = {
  host: 'github.com',
  kind: 'github',
  web: 'https://github.com',
  api: 'https://api.github.com',
  git: 'https://github.com',
}

export interface RepoLink {
  readonly forge: ForgeEntry
  /** The owner: `ann`, or `group/subgroup` at a forge with nested groups. */
  readonly owner: string
  readonly name: string
  /** `https://host/owner/name` in the one spelling from which the demo's id is made. */
  readonly canonical: string
}

/** A link is no repository of a known forge. The message says what was expected. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
}

const hostAndPath = /^https:\/\/([A-Za-z0-9.-]{1,253})\/([A-Za-z0-9._/-]{1,1000})$/

/** Parses a link by the grammar of its kind of forge, and builds its canonical form. Throws LinkError. */
export function parseRepoLink(link: string, forges: readonly ForgeEntry[]): RepoLink {
  const expected = `expected ${forges.map(linkExample).join(' or ')}`
  const [, writtenHost, path = ''] = hostAndPath.exec(link) ?? []
  if (!writtenHost) throw new LinkError(`not a link to a repository; ${expected}`)
  const host = writtenHost.toLowerCase()
  const forge = forges.find((entry) => entry.host === host)
  if (!forge) throw new LinkError(`${host} is not in the table of forges; ${expected}`)
  const parts = forgeTraits[forge.kind].linkPath.exec(path)?.groups
  if (!parts?.owner || !parts.name) throw new LinkError(`not a link to a repository; expected ${linkExample(forge)}`)
  const [owner, name] = [parts.owner.toLowerCase(), parts.name.toLowerCase()]
  const strange = [...owner.split('/'), name].find((part) => /^(\.*$|-)/.test(part))
  if (strange !== undefined) throw new LinkError(`not the name of a repository: ${JSON.stringify(strange)}`)
  return { forge, owner, name, canonical: canonicalLink(forge, owner, name) }
}

/** The canonical form of a link. */
export const canonicalLink = ({ host }: ForgeEntry, owner: string, name: string): string =>
  `https://${host}/${owner}/${name}`.toLowerCase()

/** The address from which git fetches. */
export const gitAddress = ({ forge, owner, name }: RepoLink): string =>
  `${forge.git.replace(/\/$/, '')}/${owner}/${name}.git`

const linkExample = ({ host, kind }: ForgeEntry): string => `https://${host}/${forgeTraits[kind].linkShape}`
