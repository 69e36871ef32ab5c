import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { HttpPredictor } from '@origami/serving'
import { inheritedEnvironment } from '../env.ts'

export interface BundledOptions {
  /** The folder of the bundle. */
  readonly folder: string
  readonly python?: string | undefined
  /** Gets each line that the model prints, while it runs. */
  readonly onLog: (line: string) => void
  /** How long the runtime may take to end after it was told to. Then it is killed. */
  readonly graceMs: number
}

const maxPrintedLength = 4000
const pollMs = 100

/** A bundle's runtime, started as it will be after a deploy, at its own port. */
export class BundledRuntime implements AsyncDisposable {
  /** The last part of its output. */
  printed = ''
  /** Aborts when it exits. The reason says how. */
  readonly died: AbortSignal
  private readonly options: BundledOptions
  private readonly scratch: string
  private readonly server: ChildProcess

  /** Throws Error when no temporary folder can be made. */
  static async start(options: BundledOptions): Promise<BundledRuntime> {
    return new BundledRuntime(options, await mkdtemp(join(tmpdir(), 'origami-try-')))
  }

  private constructor(options: BundledOptions, scratch: string) {
    const { folder, python } = options
    this.options = options
    this.scratch = scratch
    this.server = spawn(process.execPath, [join(folder, 'origami/server.mjs')], {
      cwd: folder,
      env: {
        ...inheritedEnvironment(),
        PORT: '0',
        ORIGAMI_HOST: '127.0.0.1',
        ORIGAMI_PORT_FILE: this.portFile,
        ORIGAMI_FILES: join(scratch, 'files'),
        ...(python === undefined ? {} : { ORIGAMI_PYTHON: python }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    createInterface({ input: this.server.stderr as Readable }).on('line', (line) => {
      this.printed = `${this.printed}${line}\n`.slice(-maxPrintedLength)
      options.onLog(line)
    })
    const died = new AbortController()
    this.died = died.signal
    this.server.once('error', (error) => died.abort(new Error(`the runtime could not be started: ${error.message}`)))
    this.server.once('close', (code, by) =>
      died.abort(new Error(`the runtime exited (${by ?? code}):\n${this.printed}`)),
    )
  }

  /** Resolves when its model is ready. Throws Error when the model's setup failed, or the signal's reason. */
  async ready(signal: AbortSignal): Promise<HttpPredictor> {
    for (;;) {
      // The runtime writes it once it listens.
      const port = await readFile(this.portFile, 'utf8').catch(() => undefined)
      const predictor = port ? new HttpPredictor({ base: `http://127.0.0.1:${port}` }) : undefined
      const health = await predictor?.health(signal)
      if (predictor && (health?.status === 'READY' || health?.status === 'BUSY')) return predictor
      if (health?.status === 'SETUP_FAILED') throw new Error(`the model's setup failed:\n${health.setup?.logs}`)
      await setTimeout(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  /** Ends the runtime and everything that it started. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.end()
    await rm(this.scratch, { recursive: true, force: true })
  }

  private get portFile(): string {
    return join(this.scratch, 'port')
  }

  private get isRunning(): boolean {
    return this.server.pid !== undefined && this.server.exitCode === null && this.server.signalCode === null
  }

  private async end(): Promise<void> {
    const { graceMs, onLog } = this.options
    const exited = once(this.server, 'exit')
    this.server.kill('SIGTERM')
    const patience = new AbortController()
    // The wait rejects when it is aborted below, once one of the two has come.
    await Promise.race([exited, setTimeout(graceMs, undefined, { signal: patience.signal }).catch(() => undefined)])
    patience.abort()
    if (!this.isRunning) return
    onLog(`the runtime did not end within ${graceMs / 1000} s of SIGTERM and was killed`)
    const workers = await childrenOf(this.server.pid)
    this.server.kill('SIGKILL')
    await exited
    for (const pid of workers) killGroup(pid)
  }
}

/**
 * The runtime's workers. Each leads its own process group, and a busy one does not notice that its runtime is gone.
 * Only Linux can list them.
 */
async function childrenOf(pid: number | undefined): Promise<number[]> {
  // A process that is gone has no tasks and no children.
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const texts = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  )
  return texts.join(' ').split(' ').filter(Boolean).map(Number)
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended itself when its runtime was gone.
  }
}
