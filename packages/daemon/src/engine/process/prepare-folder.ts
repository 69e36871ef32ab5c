import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../config.ts'
import { markOf } from '../../state/leftovers.ts'
import { runProgram } from '../../state/program.ts'
import { BuildError, type BuildRequest, ConfigError } from '../engine.ts'
import { installerEnvironment } from './installer-environment.ts'

/** What a build needs to know of the daemon that builds. */
export interface BuilderParts {
  /** The random id of the state folder. */
  readonly owner: string
  /** The daemon's environment. */
  readonly environment: Environment
  /** What installers take for the home of their account: their caches stand there, and no secrets of the operator's. */
  readonly home: string
}

/** The place of one build, and where its output goes. */
interface Site {
  readonly folder: string
  readonly mark: string
  readonly env: Record<string, string>
  readonly say: (text: string) => void | Promise<void>
  readonly signal: AbortSignal
}

/** The file that names an image's demo and deployment. It is written when the image is complete. */
export const aboutImage = '.image.json'
const probeMs = 30_000

/**
 * Prepares the folder `into`, which must not exist: a copy of the bundle together with its dependencies (a venv, made
 * by uv if it is installed, or node_modules). Throws ConfigError without a vendored runtime, BuildError when an
 * installer fails.
 */
export async function prepareFolder(
  request: BuildRequest,
  { owner, environment, home }: BuilderParts,
  into: string,
  signal: AbortSignal,
): Promise<void> {
  const { folder, deployment, onLog } = request
  if (!existsSync(join(folder, 'origami/server.mjs')))
    throw new ConfigError(
      'The runtime is not in the repository (origami/server.mjs): run `origami bundle` and commit what it writes, or use the docker engine',
    )
  // Such a file from the bundle would claim that the image is complete, and name its owner.
  const filter = (path: string) => path !== join(folder, aboutImage)
  await cp(folder, into, { recursive: true, verbatimSymlinks: true, filter })
  const say = (text: string) => onLog({ at: new Date(), source: 'build', text })
  const site: Site = {
    folder: into,
    mark: markOf(owner, deployment),
    env: installerEnvironment(environment, home),
    say,
    signal,
  }
  if (existsSync(join(into, 'requirements.txt'))) await installPython(site)
  if (existsSync(join(into, 'package.json'))) await installNode(site)
  await say('Prepared')
}

async function installPython(site: Site): Promise<void> {
  const requirements = ['-r', 'requirements.txt']
  if (await works(site, 'uv', ['--version'])) {
    await run(site, 'uv', ['venv', '.venv'])
    await run(site, 'uv', ['pip', 'install', '--python', '.venv/bin/python', ...requirements])
    return
  }
  if (!(await works(site, 'python3', ['-c', 'import venv, ensurepip'])))
    throw new BuildError(
      'requirements.txt needs Python with venv (Debian: apt-get install python3-venv) or uv; neither is on this machine',
    )
  await run(site, 'python3', ['-m', 'venv', '.venv'])
  const quiet = ['--no-input', '--disable-pip-version-check', '--progress-bar', 'off']
  await run(site, '.venv/bin/pip', ['install', ...quiet, ...requirements])
}

async function installNode(site: Site): Promise<void> {
  const verb = existsSync(join(site.folder, 'package-lock.json')) ? 'ci' : 'install'
  await run(site, 'npm', [verb, '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'])
}

/** Runs an installer and writes each of its lines into the log. */
async function run({ folder: cwd, mark, env, say, signal }: Site, command: string, args: string[]): Promise<void> {
  await say(`$ ${[command, ...args].join(' ')}`)
  const { failed, code, message } = await runProgram({ command, args, cwd, env, mark, onLine: say }, signal)
  if (failed)
    throw new BuildError(
      code === undefined ? message : `\`${command} ${args[0]}\` failed with code ${code}; the log says why`,
    )
}

async function works({ folder: cwd, mark, env, signal }: Site, command: string, args: string[]): Promise<boolean> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(probeMs)])
  try {
    return !(await runProgram({ command, args, cwd, env, mark, onLine: () => {} }, within)).failed
  } catch (error) {
    signal.throwIfAborted()
    if (within.aborted) return false
    throw error
  }
}
