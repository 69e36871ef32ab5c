import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProgramSpec } from './program-spec.ts'

/** A copy of the shim beside the instances, so that nothing of them runs out of a checkout. */
export class ShimCopy {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  async write(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
    await copyFile(join(import.meta.dirname, 'shim.sh'), this.script)
  }

  /** Starts the shim with a program and resolves to its process id. Throws Error when it cannot be started. */
  async start(instance: string, nonce: string, { command, args, cwd, env, logBytes }: ProgramSpec): Promise<number> {
    const shim = spawn('/bin/sh', [this.script, nonce, instance, String(logBytes), cwd, command, ...args], {
      cwd: instance,
      detached: true,
      stdio: 'ignore',
      env,
    })
    await once(shim, 'spawn')
    shim.unref()
    return shim.pid as number
  }

  private get script(): string {
    return join(this.folder, 'shim.sh')
  }
}
