import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The source files that make up the shim. */
const shimFiles = ['engine/process/shim.ts', 'logs/lines.ts']

/** A copy of the shim beside the instances, so that nothing of them runs out of a checkout. */
export class ShimCopy {
  private readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  async write(): Promise<void> {
    for (const file of shimFiles) {
      await mkdir(join(this.folder, dirname(file)), { recursive: true, mode: 0o700 })
      await copyFile(join(import.meta.dirname, '../..', file), join(this.folder, file))
    }
    await writeFile(join(this.folder, 'package.json'), '{ "type": "module" }')
  }

  /** Starts the shim and resolves to its process id. Throws Error when it cannot be started. */
  async start(instance: string, nonce: string, path: string): Promise<number> {
    const shim = spawn(process.execPath, [join(this.folder, 'engine/process/shim.ts'), instance, nonce], {
      cwd: instance,
      detached: true,
      stdio: 'ignore',
      env: { PATH: path },
    })
    await once(shim, 'spawn')
    shim.unref()
    return shim.pid as number
  }
}
