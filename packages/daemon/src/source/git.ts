import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { forgeTraits, gitAddress, type RepoLink } from '@origami/protocol/control'
import type { Lookup } from '@origami/serving'
import type { Environment } from '../config.ts'
import { markOf } from '../state/leftovers.ts'
import { type Program, runProgram } from '../state/program.ts'
import { pinnedAddresses } from './forge-addresses.ts'
import { lfsPointers, refusePointers } from './lfs.ts'
import { refuseLinksOut } from './links.ts'
import { type Listing, shown, TreeReader } from './listing.ts'
import type { FetchedCommit, FetchLimits, FetchRequest, Secret, Source } from './source.ts'
import { SourceError } from './source.ts'

const answerBytes = 1024 ** 2
/** What a pack may have more than the tree in it, which it compresses. */
const packOverhead = 64 * 1024 ** 2
const shownSubmodules = 10
/** What git calls the newest commit of the default branch. */
const newest = 'HEAD'
/** How many of git's last lines are kept to explain a failure. */
const lastLines = 20

/** One run of git. */
interface GitRun {
  readonly repo: RepoLink
  readonly token: Secret | undefined
  readonly pinned: string | undefined
  readonly limits: FetchLimits
  readonly args: readonly string[]
  readonly cwd: string
  readonly onLine?: (text: string) => void | Promise<void>
  readonly onOutput?: Program['onOutput']
}

/**
 * Runs git with only what it needs: none of the host's configuration, no hooks, no filters, no redirects, one
 * transport, a token for one host only, and limits on memory, processor time and the size of a file.
 */
export class GitSource implements Source {
  private readonly work: string
  private readonly owner: string
  private readonly inherited: Environment
  private readonly lookUp: Lookup | undefined

  /**
   * `work`: the folder for git's temporary homes. `owner`: the random id of the state folder, by which processes of an
   * earlier daemon are found. `environment`: the daemon's, from which git gets the search path, proxies and certificate
   * authorities. `lookUp`: how addresses of forges are found, by default as the host finds them.
   */
  constructor({
    work,
    owner,
    environment,
    lookUp,
  }: {
    work: string
    owner: string
    environment: Environment
    lookUp?: Lookup
  }) {
    this.work = work
    this.owner = owner
    this.inherited = environment
    this.lookUp = lookUp
  }

  async fetch(
    { repo, commit = newest, token, into, limits, onLog }: FetchRequest,
    signal: AbortSignal,
  ): Promise<FetchedCommit> {
    const pinned = await pinnedAddresses(repo.forge, this.inherited, this.lookUp)
    const say = (text: string) => onLog({ at: new Date(), source: 'clone', text })
    const run = (args: string[], onOutput?: Program['onOutput']) =>
      this.git(
        {
          repo,
          token,
          pinned,
          limits,
          args: ['-C', into, ...args],
          cwd: into,
          onLine: say,
          ...(onOutput && { onOutput }),
        },
        signal,
      )
    await emptyRepository(into)
    await run(['fetch', '-q', '--depth', '1', '--no-tags', '--no-recurse-submodules', '--', gitAddress(repo), commit])
    const tree = new TreeReader(limits)
    const said = run(['log', '-1', '--format=%H%n%s', 'FETCH_HEAD'])
    const listed = run(['ls-tree', '-r', '-t', '-l', '-z', '--full-tree', 'FETCH_HEAD'], (bytes) => tree.read(bytes))
    // Neither may go on in the folder when this fails.
    await Promise.allSettled([said, listed])
    await listed
    await run(['checkout', '-q', '--detach', 'FETCH_HEAD'])
    await rm(join(into, '.git'), { recursive: true, force: true })
    await tellOfSubmodules(tree, say)
    await refuseLinksOut(into, tree.links)
    refusePointers(await lfsPointers(into, tree.perhapsPointers))
    return fetchedCommit(await said)
  }

  /** Resolves to git's standard output. Throws SourceError. Rejects with the signal's reason. */
  private async git(
    { repo, token, pinned, limits, args, cwd, onLine, onOutput }: GitRun,
    signal: AbortSignal,
  ): Promise<string> {
    signal.throwIfAborted()
    const home = await mkdtemp(join(this.work, '.home-'))
    const said: string[] = []
    const program: Program = {
      command: 'prlimit',
      args: [...resourceLimits(limits), ...saysTooLarge, 'git', ...args],
      cwd,
      env: gitEnvironment(repo, token, home, this.inherited, pinned),
      mark: markOf(this.owner, `git-${crypto.randomUUID()}`),
      answerBytes,
      ...(onOutput && { onOutput }),
      async onLine(text) {
        said.push(text)
        if (said.length > lastLines) said.shift()
        await onLine?.(text)
      },
    }
    try {
      const { failed, message, answer } = await runProgram(program, signal)
      if (failed) throw new SourceError(explain(repo, said.join('\n'), message, limits))
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

/** Arguments of prlimit(1). Git streams what is larger than its memory may be. */
const resourceLimits = ({ bytes, memoryBytes, cpuMs }: FetchLimits): string[] => [
  `--as=${memoryBytes}`,
  `--cpu=${Math.ceil(cpuMs / 1000)}`,
  `--fsize=${bytes + packOverhead}`,
  '--core=0',
]

/** Git says that a file is too large, where the signal would end it without a word. */
const saysTooLarge = ['env', '--ignore-signal=XFSZ']

async function tellOfSubmodules({ submodules }: Listing, say: (text: string) => unknown): Promise<void> {
  for (const path of submodules.slice(0, shownSubmodules))
    await say(`${shown(path)} is a submodule, which is not fetched: its folder is empty`)
  if (submodules.length > shownSubmodules) await say(`… and ${submodules.length - shownSubmodules} more submodules`)
}

/**
 * What `git init` makes, as far as git needs it, without the time that a process takes. Source:
 * gitrepository-layout(5).
 */
async function emptyRepository(folder: string): Promise<void> {
  const git = join(folder, '.git')
  for (const name of ['objects', 'refs', 'info']) await mkdir(join(git, name), { recursive: true })
  // These win over the repository's own, so that each file has the bytes that were counted.
  await writeFile(join(git, 'info/attributes'), '* -text -eol -ident -filter -working-tree-encoding\n')
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
  pinned?: string,
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
    ...(pinned === undefined ? [] : [['http.curloptResolve', pinned] satisfies [string, string]]),
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
    // One pack instead of many files, and little of it in memory at a time.
    ['fetch.unpackLimit', '1'],
    ['pack.threads', '2'],
    ['core.bigFileThreshold', '64m'],
    ['core.packedGitWindowSize', '64m'],
    ['core.packedGitLimit', '256m'],
    ['core.attributesFile', '/dev/null'],
  ]
  return {
    PATH: inherited.PATH ?? '/usr/bin:/bin',
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
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
function explain(repo: RepoLink, said: string, message: string, limits: FetchLimits): string {
  const signal = /killed with SIG[A-Z]+/.exec(message)?.[0] ?? ''
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  // What fetch-pack says after index-pack is about the same failure.
  const told = lines.filter((line) => !line.includes('invalid index-pack output'))
  if (said.includes(`find remote ref ${newest}`)) return `${repo.canonical} has no commit yet; push one`
  if (said.includes('File too large'))
    return `the repository is too large: expected at most ${limits.bytes} bytes (\`limits.tree\`)`
  if (/SIGXCPU|SIGKILL/.test(signal) || (told.length === 0 && lines.length > 0))
    return `git needed more than ${limits.cpuMs / 1000} s of processor time for ${repo.canonical} (\`limits.git_cpu\`)`
  if (/out of memory|malloc failed|Cannot allocate memory|unable to create thread/i.test(said))
    return `git needed more than ${limits.memoryBytes} bytes of memory for ${repo.canonical} (\`limits.git_memory\`)`
  if (unreadable.test(said)) return `${repo.canonical} was not found, or what Origami was given may not read it`
  if (/Could not resolve host|unable to access|Failed to connect|timed out/i.test(said))
    return `${repo.forge.host} could not be reached`
  const reason = told.find((line) => /^(fatal|error):/.test(line)) ?? told.at(-1) ?? message
  return `git could not fetch ${repo.canonical}: ${reason}`
}
