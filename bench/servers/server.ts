import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { family } from '@origami/host/process-groups'
import { startTime } from '@origami/host/process-identity'

const ticksPerSecond = 100
const patienceMs = 90_000

/** A server as a process of its own, with all that it starts. */
export class Server implements AsyncDisposable {
  readonly url: string
  readonly pid: number
  /** From its start until it answered. */
  readonly startMs: number
  private readonly child: ChildProcess

  private constructor(url: string, child: ChildProcess, startMs: number) {
    this.url = url
    this.child = child
    this.pid = child.pid ?? 0
    this.startMs = startMs
  }

  /** Starts a program and waits until it answers that it serves. */
  static async start(url: string, [program = '', ...args]: readonly string[], options: ServerOptions = {}) {
    const begun = performance.now()
    const env = { ...process.env, ...options.env }
    const child = spawn(program, args, { cwd: options.cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4000)
      })
    child.on('error', (error) => {
      said += error.message
    })
    const until = begun + (options.patienceMs ?? patienceMs)
    while (performance.now() < until && child.exitCode === null && child.pid !== undefined) {
      const isSaid = said.includes(options.readyLine ?? '')
      if (isSaid && (await answers(url + (options.readyPath ?? '/'), options.readyWord ?? '')))
        return new Server(url, child, performance.now() - begun)
      await setTimeout(10)
    }
    killGroup(child)
    throw new Error(`expected that ${[program, ...args].join(' ')} answers at ${url}; it said: ${said}`)
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** As Ctrl-C does: it ends by itself, with what it started. */
  async interrupt(): Promise<void> {
    if (this.hasEnded) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGINT')
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return
    const exited = once(this.child, 'exit')
    killGroup(this.child)
    await exited
  }
}

export interface ServerOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
  /** What is asked to learn whether it serves. */
  readonly readyPath?: string
  /** What the answer has in it once it serves. */
  readonly readyWord?: string
  /** What it prints once it is ready, beside that it answers. */
  readonly readyLine?: string
  readonly patienceMs?: number
}

/** Whether a GET is answered, and with this word in it. */
async function answers(url: string, word: string): Promise<boolean> {
  try {
    const answer = await fetch(url)
    const text = await answer.text()
    return answer.status < 500 && text.includes(word)
  } catch {
    // Nobody listens yet.
    return false
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All of its group are gone.
  }
}

/** Milliseconds of CPU that a process used, with its children that ended. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number)
  return ((user + system + childUser + childSystem) * 1000) / ticksPerSecond
}

/** Bytes of memory of one process. */
export async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
}

/** How often a process wrote something to a file, a pipe or a socket. */
export async function writesOf(pid: number): Promise<number> {
  const io = await readFile(`/proc/${pid}/io`, 'utf8')
  return Number(/^syscw: (\d+)/m.exec(io)?.[1] ?? 0)
}

/** The process and all that it started, by their command lines. */
export async function processTree(pid: number): Promise<{ pid: number; command: string }[]> {
  const all = await family({ pid, started: startTime(pid) ?? '' })
  return Promise.all(
    all.map(async (one) => {
      // A process that ended has none.
      const command = await readFile(`/proc/${one.pid}/cmdline`, 'utf8').catch(() => '')
      return { pid: one.pid, command: command.replaceAll('\0', ' ').trim() }
    }),
  )
}
