import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'
import { logger } from '@origami/host/logger'
import { killGroup } from '@origami/host/process-groups'
import { startTime } from '@origami/host/process-identity'
import { execa } from 'execa'
import { Lines } from '../logs/lines.ts'
import { endMarked, markedEnvironment } from './leftovers.ts'

const log = logger('state')

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** All of its environment except the mark. */
  readonly env: Readonly<Record<string, string>>
  /** Made by `markOf`. The next daemon finds by it what this one left running. */
  readonly mark: string
  /** Receives a line of its output. The program waits until the promise resolves. */
  readonly onLine: (text: string) => void | Promise<void>
  /** When set, its standard output is returned, at most this many bytes, instead of being split into lines. */
  readonly answerBytes?: number
  /** When set, it receives its standard output as it comes, and ends the program by throwing. */
  readonly onOutput?: (bytes: Buffer) => void
}

export interface ProgramEnd {
  /** Undefined when it could not be started, or was killed. */
  readonly code: number | undefined
  readonly failed: boolean
  /** One line for people. */
  readonly message: string
  readonly answer: string
}

/**
 * Runs a program in its own process group. When it ends, or the signal aborts, nothing that it started is left. Rejects
 * with the signal's reason. Throws RangeError when its output is longer than allowed.
 */
export async function runProgram(program: Program, signal: AbortSignal): Promise<ProgramEnd> {
  signal.throwIfAborted()
  const { command, args, cwd, env, mark } = program
  const child = execa(command, args, {
    cwd,
    env: { ...env, ...markedEnvironment(mark) },
    extendEnv: false,
    preferLocal: false,
    buffer: false,
    reject: false,
    detached: true,
    stdin: 'ignore',
  })
  const outputs = [child.stdout as Readable, child.stderr as Readable]
  const end = () => {
    for (const output of outputs) output.destroy()
    killGroup(child.nodeChildProcess)
  }
  signal.addEventListener('abort', end, { once: true })
  const started = startOf(child.nodeChildProcess)
  let cleared: Promise<boolean> | undefined
  // Processes that it left behind would keep its output open.
  child.nodeChildProcess.once('exit', () => {
    cleared = endMarked(mark, started).then(
      () => true,
      (error: unknown) => {
        log.error(`what ${command} left running was not ended yet`, error)
        return false
      },
    )
  })
  try {
    const [answer] = await Promise.all([
      readOutput(outputs[0] as Readable, program),
      readLines(outputs[1] as Readable, program),
    ])
    const { exitCode, failed, shortMessage } = await child
    signal.throwIfAborted()
    return { code: exitCode, failed, message: shortMessage ?? '', answer }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', end)
    end()
    if (!(await cleared)) await endMarked(mark, started)
  }
}

/** When a child started, before which nothing of it did. Undefined: it has ended, or that cannot be told now. */
function startOf({ pid }: ChildProcess): string | undefined {
  try {
    return pid === undefined ? undefined : startTime(pid)
  } catch {
    // What it leaves running is looked for among all processes then.
    return undefined
  }
}

async function readOutput(output: Readable, program: Program): Promise<string> {
  const { answerBytes, onOutput } = program
  if (onOutput) {
    for await (const chunk of output as AsyncIterable<Buffer>) onOutput(chunk)
    return ''
  }
  if (answerBytes === undefined) {
    await readLines(output, program)
    return ''
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of output as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > answerBytes) throw new RangeError(`${program.command} answered more than ${answerBytes} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function readLines(output: Readable, { onLine }: Program): Promise<void> {
  const lines = new Lines()
  for await (const bytes of output as AsyncIterable<Buffer>) for (const line of lines.push(bytes)) await onLine(line)
  for (const line of lines.end()) await onLine(line)
}
