import { z } from 'zod'

/**
 * A place where repositories live, from the operator's table. Links are always `https://<host>/owner/name`;
 * the other addresses say how to reach it, and only they may be http, loopback, a folder or have a port.
 */
export const forgeSchema = z.strictObject({
  host: z.string().regex(/^[a-z0-9.-]+$/),
  kind: z.enum(['github', 'folder']),
  /** Where people sign in: `https://github.com`. Absent for a folder. */
  web: z.url().optional(),
  /** `https://api.github.com`. Absent for a folder. */
  api: z.url().optional(),
  /** git fetches `<git>/owner/name.git`: https, http or file. */
  git: z.url({ protocol: /^(https|http|file)$/ }),
})
export type Forge = z.infer<typeof forgeSchema>

export const github: Forge = {
  host: 'github.com',
  kind: 'github',
  web: 'https://github.com',
  api: 'https://api.github.com',
  git: 'https://github.com',
}

export interface RepoLink {
  readonly forge: Forge
  readonly owner: string
  readonly name: string
  /** `https://host/owner/name`, one spelling for one repository: what the demo's id is made of. */
  readonly canonical: string
}

/** A link that is no repository of a forge we know. The message says what was expected. */
export class LinkError extends Error {
  override readonly name = 'LinkError'
}

const grammar = /^https:\/\/([A-Za-z0-9.-]{1,253})\/([A-Za-z0-9][A-Za-z0-9-]{0,99})\/([A-Za-z0-9._-]{1,100}?)(?:\.git)?\/?$/

/** Takes a link apart by a strict grammar and rebuilds it. Throws LinkError. */
export function parseRepoLink(link: string, forges: readonly Forge[]): RepoLink {
  const expected = `expected https://${forges.map((forge) => forge.host).join(' or ')}/owner/name`
  const match = grammar.exec(link)
  if (!match) throw new LinkError(`not a link to a repository; ${expected}`)
  const [, host = '', owner = '', name = ''] = match.map((part) => part?.toLowerCase())
  if (/^\.+$/.test(name) || name.startsWith('-')) throw new LinkError(`not the name of a repository: ${JSON.stringify(name)}`)
  const forge = forges.find((entry) => entry.host === host)
  if (!forge) throw new LinkError(`${host} is not in the table of forges; ${expected}`)
  return { forge, owner, name, canonical: `https://${host}/${owner}/${name}` }
}

/** What git fetches from. */
export const gitAddress = (repo: RepoLink): string => `${repo.forge.git.replace(/\/$/, '')}/${repo.owner}/${repo.name}.git`
