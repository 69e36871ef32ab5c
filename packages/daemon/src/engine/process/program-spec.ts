import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../config.ts'
import type { EngineLimits, StartRequest } from '../engine.ts'
import { instanceEnvironment } from '../instance-environment.ts'
import { instanceVariable } from './instance-processes.ts'

/** The folder of inputs in an instance's own. */
export const inputsName = 'inputs'

/** What the shim is told: the program to run, and how much of its output to keep. */
export interface ProgramSpec {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** The largest amount of output, in bytes, that is kept unread. */
  readonly logBytes: number
}

/**
 * The program of one instance: Node with the vendored runtime. `folder` is the instance's own folder, `nonce` the mark
 * by which its processes are found, `inherited` the daemon's environment.
 */
export function programSpec(
  { image, spec }: Pick<StartRequest, 'image' | 'spec'>,
  folder: string,
  nonce: string,
  inherited: Environment,
  limits: EngineLimits,
): ProgramSpec {
  return {
    command: process.execPath,
    args: [join(image, 'origami/server.mjs')],
    cwd: image,
    env: { ...instanceEnvironment(spec), ...ownEnvironment(image, folder, inherited), [instanceVariable]: nonce },
    logBytes: limits.unreadLogBytes,
  }
}

/** An environment that takes from the daemon's only where programs are found. */
function ownEnvironment(image: string, folder: string, inherited: Environment): Record<string, string> {
  const python = join(image, '.venv/bin/python')
  return {
    PATH: inherited.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: folder,
    LANG: 'C.UTF-8',
    PORT: '0',
    ORIGAMI_HOST: '127.0.0.1',
    ORIGAMI_PORT_FILE: join(folder, 'port'),
    ORIGAMI_FILES: join(folder, 'files'),
    ORIGAMI_INPUTS: join(folder, inputsName),
    ORIGAMI_PYTHON: existsSync(python) ? python : 'python3',
  }
}
