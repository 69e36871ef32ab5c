import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, vi } from 'vitest'

const root = join(import.meta.dirname, '..')

/** A verb of the command that serves, as a process of its own. */
export class ServingVerb implements AsyncDisposable {
  readonly pid: number
  /** What it printed that it listens at. */
  url = ''
  /** All that it printed, on both of its outputs. */
  output = ''
  private readonly process: ChildProcess

  constructor(process: ChildProcess) {
    this.process = process
    this.pid = process.pid ?? 0
    for (const stream of [process.stdout, process.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (this.output += text))
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name)
  }

  /** Waits until it printed some words. */
  async printed(expected: string | RegExp, timeout = 30_000): Promise<void> {
    const found = () =>
      typeof expected === 'string' ? expect(this.output).toContain(expected) : expect(this.output).toMatch(expected)
    await vi.waitFor(found, { timeout })
  }

  /** Its exit code, once it ended by itself. */
  async ended(): Promise<number | null> {
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit')
    return this.process.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGINT')
    await this.ended()
  }
}

/**
 * Starts `origami <verb> …` and waits until it prints where it listens. `within`: a program that runs it, as `ip netns
 * exec …`.
 */
export async function startOrigamiVerb(
  verb: string,
  flags: readonly string[],
  listening: RegExp,
  { within = [] }: { within?: readonly string[] } = {},
): Promise<ServingVerb> {
  const [program = '', ...args] = [
    ...within,
    process.execPath,
    '--import',
    './scripts/node24.mjs',
    'packages/cli/src/main.ts',
    verb,
  ]
  const started = new ServingVerb(spawn(program, [...args, ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }))
  const url = await vi.waitFor(
    () => {
      const found = listening.exec(started.output)?.[1]
      expect(found, started.output).toBeDefined()
      return found
    },
    { timeout: 60_000 },
  )
  started.url = url ?? ''
  return started
}
