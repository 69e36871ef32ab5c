import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Health, newPredictionId, type PredictionSnapshot } from '@origami/protocol/demo'
import { FolderFiles, type Prediction } from '@origami/serving'
import { expect, vi } from 'vitest'
import type { Launch } from '../src/runtime/pool/launch.ts'
import { type ModelOptions, ModelPredictor } from '../src/runtime/pool/model-predictor.ts'

/** A pool of scripted workers, in a folder of its own. */
export interface Pool extends AsyncDisposable {
  readonly predictor: ModelPredictor
  /** Where its files are. */
  readonly folder: string
  /** How often workers were started. */
  readonly launches: () => number
  /** From now on setups of workers fail with these words. `hang`: they never end. undefined: they succeed. */
  setup(problem: string | undefined): Promise<void>
  submit(say: string, paper?: string): Promise<Prediction>
  health(expected: unknown): Promise<Health>
  /** The ids of the worker processes that are alive. */
  pids(): Promise<number[]>
}

interface PoolOptions extends Partial<Omit<ModelOptions, 'files' | 'launch'>> {
  readonly slots?: number
  /** How many calls may wait in a worker. Its demo has no files then. */
  readonly ahead?: number
  readonly concurrency?: number
  readonly title?: string | null
  /** The setup of the very first worker fails with these words. */
  readonly problem?: string
  /** Called before each launch. */
  readonly onLaunch?: (count: number) => void
}

export async function startPool(options: PoolOptions = {}): Promise<Pool> {
  const { slots, ahead, concurrency, title, problem, onLaunch, ...rest } = options
  const home = await mkdtemp(join(tmpdir(), 'origami-pool-'))
  const [folder, setupFile] = [join(home, 'files'), join(home, 'setup')]
  if (problem !== undefined) await writeFile(setupFile, problem)
  let launches = 0
  const launch = (): Launch => {
    launches += 1
    onLaunch?.(launches)
    return {
      command: process.execPath,
      args: [join(import.meta.dirname, 'workers/scripted.mjs')],
      cwd: home,
      env: {
        ...(process.env as Record<string, string>),
        SETUP: setupFile,
        WORKER: JSON.stringify({ slots, ahead, concurrency, title }),
      },
    }
  }
  const files = new FolderFiles(folder, { maxFileBytes: () => 100 * 1024 ** 2 })
  const predictor = new ModelPredictor({ launch, files, cancelGraceMs: 100, backOffMs: [20], ...rest })
  return {
    predictor,
    folder,
    launches: () => launches,
    setup: (error) => (error === undefined ? rm(setupFile, { force: true }) : writeFile(setupFile, error)),
    async submit(say, paper) {
      await eventually(() => predictor.schema())
      return predictor.submit({ id: newPredictionId(), input: paper === undefined ? { say } : { say, paper } })
    },
    health: (expected) =>
      vi.waitFor(
        async () => {
          const health = await predictor.health()
          expect(health).toMatchObject(expected as object)
          return health
        },
        { interval: 5 },
      ),
    pids: () => childProcesses(home),
    async [Symbol.asyncDispose]() {
      await predictor[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** Waits until it is so, which takes longer on a busy machine. */
export const eventually = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { interval: 5 })

/** What became of a prediction. */
export async function endOf(prediction: Prediction): Promise<PredictionSnapshot> {
  for await (const event of prediction.events(0, AbortSignal.timeout(15_000)))
    if (event.type === 'completed') return event.data
  throw new Error(`it did not end: ${JSON.stringify(await prediction.snapshot())}`)
}

/** Waits until it runs. */
export async function started(prediction: Prediction): Promise<void> {
  await eventually(async () => expect((await prediction.snapshot()).status).toBe('processing'))
}

/** Processes whose working folder is this one. */
export async function childProcesses(folder: string): Promise<number[]> {
  const { readdir, readlink } = await import('node:fs/promises')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const inside = await Promise.all(
    pids.map(async (pid) => (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === folder),
  )
  const alive = pids.filter((pid, index) => inside[index] && existsSync(`/proc/${pid}/cwd`))
  const states = await Promise.all(alive.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')))
  return alive.filter((_, index) => !/\) Z /.test(states[index] ?? '')).map(Number)
}
