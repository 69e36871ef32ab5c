import { lstat, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { unlessAbsent } from '@origami/host/absent-files'
import { forgeTraits, gitAddress, type RepoLink } from '@origami/protocol/control'
import type { Environment } from '../config.ts'
import { markOf } from '../state/leftovers.ts'
import { type Program, runProgram } from '../state/program.ts'
import type { FetchedCommit, FetchRequest, Secret, Source, TreeLimits } from './source.ts'
import { SourceError } from './source.ts'

const answerBytes = 1024 ** 2
const measureMs = 1000
/** What git calls the newest commit of the default branch. */
const newest = 'HEAD'
/** How many of git's last lines are kept to explain a failure. */
const lastLines = 20

/** One run of git. */
interface GitRun {
  readonly repo: RepoLink
  readonly token: Secret | undefined
  readonly args: readonly string[]
  readonly cwd: string
  readonly onLine?: (text: string) => void | Promise<void>
}

/**
 * Runs git with only what it needs: none of the host's configuration, no hooks, no redirects, one transport, and a
 * token for one host only.
 */
export class GitSource implements Source {
  private readonly work: string
  private readonly owner: string
  private readonly inherited: Environment

  /**
   * `work`: the folder for git's temporary homes. `owner`: the random id of the state folder, by which processes of an
   * earlier daemon are found. `environment`: the daemon's, from which git gets the search path, proxies and certificate
   * authorities.
   */
  constructor({ work, owner, environment }: { work: string; owner: string; environment: Environment }) {
    this.work = work
    this.owner = owner
    this.inherited = environment
  }

  async fetch(
    { repo, commit = newest, token, into, limits, onLog }: FetchRequest,
    signal: AbortSignal,
  ): Promise<FetchedCommit> {
    const done = new AbortController()
    const tooLarge = new AbortController()
    const watching = watch(into, limits, done.signal).catch((error: unknown) => tooLarge.abort(error))
    const within = AbortSignal.any([signal, tooLarge.signal])
    const onLine = (text: string) => onLog({ at: new Date(), source: 'clone', text })
    const run = (args: string[]) => this.git({ repo, token, args: ['-C', into, ...args], cwd: into, onLine }, within)
    try {
      await emptyRepository(into)
      await run(['fetch', '-q', '--depth', '1', '--no-tags', '--no-recurse-submodules', '--', gitAddress(repo), commit])
      const said = run(['log', '-1', '--format=%H%n%s', 'FETCH_HEAD'])
      const written = run(['checkout', '-q', '--detach', 'FETCH_HEAD'])
      // Neither may go on in the folder when this fails.
      await Promise.allSettled([said, written])
      await written
      await rm(join(into, '.git'), { recursive: true, force: true })
      await measure(into, limits)
      return fetchedCommit(await said)
    } finally {
      done.abort()
      await watching
    }
  }

  /** Resolves to git's standard output. Throws SourceError. Rejects with the signal's reason. */
  private async git({ repo, token, args, cwd, onLine }: GitRun, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const home = await mkdtemp(join(this.work, '.home-'))
    const said: string[] = []
    const program: Program = {
      command: 'git',
      args,
      cwd,
      env: gitEnvironment(repo, token, home, this.inherited),
      mark: markOf(this.owner, `git-${crypto.randomUUID()}`),
      answerBytes,
      async onLine(text) {
        said.push(text)
        if (said.length > lastLines) said.shift()
        await onLine?.(text)
      },
    }
    try {
      const { failed, message, answer } = await runProgram(program, signal)
      if (failed) throw new SourceError(explain(repo, said.join('\n') || message))
      return answer
    } catch (error) {
      throw error instanceof RangeError
        ? new SourceError(`git could not read ${repo.canonical}: ${error.message}`)
        : error
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  }
}

/**
 * What `git init` makes, as far as git needs it, without the time that a process takes. Source:
 * gitrepository-layout(5).
 */
async function emptyRepository(folder: string): Promise<void> {
  const git = join(folder, '.git')
  for (const name of ['objects', 'refs']) await mkdir(join(git, name), { recursive: true })
  await writeFile(join(git, 'HEAD'), 'ref: refs/heads/main\n')
}

/** From the hash of a commit, and the first line of its message on a line of its own. */
function fetchedCommit(said: string): FetchedCommit {
  const [commit = '', message = ''] = said.split('\n')
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(commit)) throw new SourceError(`git named no commit: ${commit}`)
  return { commit, message: message.slice(0, 500) }
}

/** The whole environment of one git process. Sources: gitcredentials(7), git-config(1). */
export function gitEnvironment(
  repo: RepoLink,
  token: Secret | undefined,
  home: string,
  inherited: Environment,
): Record<string, string> {
  const address = new URL(repo.forge.git)
  const transport = address.protocol.replace(':', '')
  const { gitUser } = forgeTraits[repo.forge.kind]
  const sent = gitUser === null ? undefined : token
  const helper = `!f(){ test "$1" = get && printf "username=${gitUser}\\npassword=%s\\n" "$ORIGAMI_GIT_TOKEN"; }; f`
  const config: [string, string][] = [
    ['credential.helper', ''],
    ...(sent === undefined ? [] : [[`credential.${address.origin}.helper`, helper] satisfies [string, string]]),
    ['http.followRedirects', 'false'],
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['protocol.allow', 'never'],
    [`protocol.${transport}.allow`, 'always'],
    ['transfer.fsckObjects', 'true'],
    ['submodule.recurse', 'false'],
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '30'],
    ['safe.directory', '*'],
    // The repository is removed once its tree is written.
    ['maintenance.auto', 'false'],
    ['core.fsync', 'none'],
  ]
  return {
    PATH: inherited.PATH ?? '/usr/bin:/bin',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_CONFIG_COUNT: String(config.length),
    ...Object.fromEntries(
      config.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...(inherited.SSL_CERT_FILE
      ? { SSL_CERT_FILE: inherited.SSL_CERT_FILE, GIT_SSL_CAINFO: inherited.SSL_CERT_FILE }
      : {}),
    ...(inherited.HTTPS_PROXY ? { HTTPS_PROXY: inherited.HTTPS_PROXY } : {}),
    ...(sent === undefined ? {} : { ORIGAMI_GIT_TOKEN: sent }),
  }
}

/**
 * Measures a tree once a second, one measurement after another, until the signal aborts. Throws SourceError once it is
 * too large.
 */
async function watch(root: string, limits: TreeLimits, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // An aborted wait rejects, and the loop ends by its condition.
    await setTimeout(measureMs, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) await measure(root, limits)
  }
}

/**
 * Measures a tree, and refuses what a build must not see: links that lead out of it, devices, pipes. Throws
 * SourceError.
 */
async function measure(root: string, limits: TreeLimits): Promise<void> {
  let [bytes, files] = [0, 0]
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) continue
    const isGitFile = path.startsWith(join(root, '.git') + sep)
    if (entry.isSymbolicLink() && !isGitFile) await staysInside(root, path)
    else if (!entry.isFile() && !entry.isSymbolicLink())
      throw new SourceError(`${path.slice(root.length + 1)} is neither a file nor a folder`)
    // A file that git removed meanwhile takes no space.
    bytes += (await lstat(path).catch(unlessAbsent({ size: 0 }))).size
    files += isGitFile ? 0 : 1
  }
  if (bytes > limits.bytes) throw new SourceError(`the repository is too large: expected at most ${limits.bytes} bytes`)
  if (files > limits.files)
    throw new SourceError(`the repository has too many files: expected at most ${limits.files}, got ${files}`)
}

async function staysInside(root: string, link: string): Promise<void> {
  const target = resolve(join(link, '..'), await readlink(link))
  if (target !== root && !target.startsWith(root + sep))
    throw new SourceError(`${link.slice(root.length + 1)} is a link that leads out of the repository`)
}

/** Git's messages that a repository does not exist or may not be read. */
const unreadable = new RegExp(
  [
    'not found',
    'does not exist',
    'could not read Username',
    'Authentication failed',
    'does not appear to be a git repository',
    '403',
    '401',
  ].join('|'),
  'i',
)

/** Explains git's error messages to a person. */
function explain(repo: RepoLink, stderr: string): string {
  if (stderr.includes(`find remote ref ${newest}`)) return `${repo.canonical} has no commit yet; push one`
  if (unreadable.test(stderr)) return `${repo.canonical} was not found, or what Origami was given may not read it`
  if (/Could not resolve host|unable to access|Failed to connect|timed out/i.test(stderr))
    return `${repo.forge.host} could not be reached`
  return `git could not fetch ${repo.canonical}: ${stderr.trim().split('\n').at(-1) ?? 'it did not say why'}`
}
