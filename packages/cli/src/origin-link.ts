import { execa } from 'execa'
import { Failure } from './failure.ts'

export interface Origin {
  /** `https://host/owner/name`. */
  readonly link: string
  /** Warnings about changes that a deploy will not contain, for people. Empty when everything is pushed. */
  readonly warnings: readonly string[]
}

/** The repository that the remote `origin` of a clone names. Throws Failure when there is none. */
export async function originOf(folder: string): Promise<Origin> {
  const written = await git(folder, 'config', '--get', 'remote.origin.url')
  // Only git can expand its own short spellings (`gh:owner/name`). But git also expands whole addresses, to mirrors
  // that no forge knows.
  const remote =
    written && /^[^/]*\./.test(written.replace(/^\w+:\/\//, ''))
      ? written
      : await git(folder, 'remote', 'get-url', 'origin')
  if (remote === undefined)
    throw new Failure(
      'expected a link, or a clone whose remote `origin` is one: origami deploy https://github.com/owner/name',
    )
  return { link: linkOf(remote), warnings: await warningsOf(folder) }
}

/** The link of a remote in any of git's spellings. Throws Failure. */
export function linkOf(remote: string): string {
  const [, host = '', path = ''] =
    /^(?:https?|ssh|git):\/\/(?:[^@/]+@)?([^/:]+)(?::\d+)?\/(.+)$/.exec(remote) ??
    /^(?:[^@/]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(remote) ??
    []
  const parts = path
    .replace(/\.git\/?$|\/$/, '')
    .split('/')
    .filter(Boolean)
  // The server knows whether a forge has nested groups. github.com has none.
  if (host === '' || parts.length < 2 || (parts.length > 2 && host === 'github.com'))
    throw new Failure(
      [
        `the remote \`origin\` is no repository of a forge: ${remote.replace(/\/\/[^@/]*@/, '//')}`,
        'give a link: origami deploy https://github.com/owner/name',
      ].join('; '),
    )
  return `https://${host}/${parts.join('/')}`
}

async function warningsOf(folder: string): Promise<string[]> {
  const [changed, ahead] = await Promise.all([
    git(folder, 'status', '--porcelain'),
    git(folder, 'rev-list', '--count', 'HEAD', '--not', '--remotes=origin'),
  ])
  const warnings: string[] = []
  if (changed)
    warnings.push(
      `${count(changed.split('\n').length, 'file is', 'files are')} not committed: what is deployed is what is pushed`,
    )
  if (ahead !== undefined && ahead !== '0')
    warnings.push(`${count(Number(ahead), 'commit is', 'commits are')} not pushed: git push`)
  return warnings
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`

/** What git prints. Undefined when it fails. */
async function git(folder: string, ...args: string[]): Promise<string | undefined> {
  const { failed, stdout } = await execa('git', args, { cwd: folder, reject: false })
  return failed ? undefined : stdout.trim()
}
