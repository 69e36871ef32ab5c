import type { Readable } from 'node:stream'
import { signalGroup } from '@origami/host/process-groups'
import { startTime } from '@origami/host/process-identity'
import { execa } from 'execa'
import { Lines } from '../logs/lines.ts'
import { endMarked, markedEnvironment } from './leftovers.ts'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  /** All of its environment, but for the mark. */
  readonly env: Readonly<Record<string, string>>
  /** By `markOf`: by it the next daemon finds what this one left running. */
  readonly mark: string
  /** Takes a line of what it prints; the program waits until it resolves. */
  readonly onLine: (text: string) => void | Promise<void>
  /** Its standard output is an answer of at most so many bytes instead of lines. */
  readonly answerBytes?: number
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
 * Runs a program in a process group of its own. When it ends, or the signal aborts, nothing of what it started is left.
 * Rejects with the signal's reason; throws RangeError when it answers more than it may.
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
  const leader = { pid: child.pid ?? 0, started: startTime(child.pid ?? 0) ?? '' }
  const outputs = [child.stdout as Readable, child.stderr as Readable]
  const end = () => {
    signalGroup(leader, 'SIGKILL')
    for (const output of outputs) output.destroy()
  }
  signal.addEventListener('abort', end, { once: true })
  // What it left behind would hold its output open.
  child.nodeChildProcess.once('exit', () => void endMarked(mark))
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
    await endMarked(mark)
  }
}

async function readOutput(output: Readable, program: Program): Promise<string> {
  const { answerBytes } = program
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
