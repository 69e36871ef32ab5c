import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../config.ts'
import type { EngineLimits, StartRequest } from '../engine.ts'
import { instanceEnvironment } from '../instance-environment.ts'
import { instanceVariable } from './instance-processes.ts'

/** What the shim reads in `spec.json`: the program to run, and how much it keeps of what that prints. */
export interface ProgramSpec {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly lineBytes: number
  readonly logBytes: number
}

/**
 * The program of one instance: Node on the vendored runtime. `folder`: the instance's own. `nonce`: what it is found
 * by. `inherited`: the daemon's.
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
    lineBytes: limits.logLineBytes,
    logBytes: limits.unreadLogBytes,
  }
}

/** Nothing of the daemon's own but the way to programs. */
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
    ORIGAMI_PYTHON: existsSync(python) ? python : 'python3',
  }
}
