import { existsSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { execa } from 'execa'
import { BuildError, type BuildRequest, ConfigError } from '../engine.ts'

/**
 * Prepares a folder: a copy of the bundle with its dependencies beside it (a venv, by uv where it is there; node_modules). Throws ConfigError
 * without a vendored runtime, BuildError when an installer fails.
 */
export async function prepareFolder({ folder, onLog }: BuildRequest, into: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(join(folder, 'origami/server.mjs')))
    throw new ConfigError(
      'The runtime is not in the repository (origami/server.mjs): run `origami bundle` and commit what it writes, or use the docker engine',
    )
  await rm(into, { recursive: true, force: true })
  await cp(folder, into, { recursive: true, verbatimSymlinks: true })
  const say = (text: string) => onLog({ at: new Date(), source: 'build', text })
  if (existsSync(join(into, 'requirements.txt'))) await installPython(into, say, signal)
  if (existsSync(join(into, 'package.json'))) await installNode(into, say, signal)
  say('Prepared')
}

async function installPython(folder: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const requirements = ['-r', 'requirements.txt']
  if (await works('uv', ['--version'])) {
    await run('uv', ['venv', '.venv'], folder, say, signal)
    await run('uv', ['pip', 'install', '--python', '.venv/bin/python', ...requirements], folder, say, signal)
    return
  }
  if (!(await works('python3', ['-c', 'import venv, ensurepip'])))
    throw new BuildError(
      'requirements.txt needs Python with venv (Debian: apt-get install python3-venv) or uv; neither is on this machine',
    )
  await run('python3', ['-m', 'venv', '.venv'], folder, say, signal)
  await run(
    '.venv/bin/pip',
    ['install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off', ...requirements],
    folder,
    say,
    signal,
  )
}

async function installNode(folder: string, say: (text: string) => void, signal: AbortSignal): Promise<void> {
  const verb = existsSync(join(folder, 'package-lock.json')) ? 'ci' : 'install'
  await run('npm', [verb, '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], folder, say, signal)
}

/** Runs an installer in a process group of its own, line by line into the log. */
async function run(
  command: string,
  args: string[],
  cwd: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say(`$ ${[command, ...args].join(' ')}`)
  const env = { ...buildEnvironment(), PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) }
  const child = execa(command, args, {
    cwd,
    env,
    extendEnv: false,
    preferLocal: false,
    all: true,
    buffer: false,
    reject: false,
    detached: true,
    stdin: 'ignore',
  })
  const end = () => {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  }
  signal.addEventListener('abort', end, { once: true })
  try {
    for await (const line of createInterface(child.all as Readable)) say(line)
    const { exitCode, failed, shortMessage } = await child
    signal.throwIfAborted()
    if (failed)
      throw new BuildError(
        exitCode === undefined ? shortMessage : `\`${command} ${args[0]}\` failed with code ${exitCode}; the log says why`,
      )
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** The daemon's own, for proxies and indexes of packages, without what is Origami's. */
const buildEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ||
      name.startsWith('ORIGAMI_') ||
      name.startsWith('npm_') ||
      name === 'NODE_OPTIONS' ||
      name === 'NODE_ENV'
        ? []
        : [[name, value]],
    ),
  )

async function works(command: string, args: string[]): Promise<boolean> {
  return (await execa(command, args, { reject: false })).exitCode === 0
}
