import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { type DemoSchema, demoSchema } from '@origami/protocol/demo'
import { encodeFrame, readFrames } from '../wire/frames.ts'
import type { CallMessage, FromWorker } from '../wire/messages.ts'
import type { Launch } from './launch.ts'
import { Terminal } from './terminal.ts'

/** How the start of a worker went. `logs` is what it printed. */
export type Setup =
  | { readonly status: 'succeeded'; readonly logs: string }
  | { readonly status: 'failed'; readonly error: string; readonly logs: string }

/** How a call ended. `crashed`: the worker is gone. */
export type CallEnd =
  | { readonly type: 'done'; readonly output: Record<string, unknown> }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'canceled' }
  | { readonly type: 'crashed'; readonly error: string }

export interface CallListener {
  onText(source: 'stdout' | 'stderr', text: string): void
  onPart(message: Extract<CallMessage, { type: 'progress' | 'output' }>): void
}

const markPatienceMs = 250
const keptLog = 64 * 1024

/** One worker: a process with the model in it, holding one prediction at a time. */
export class WorkerProcess implements AsyncDisposable {
  readonly schema: Promise<DemoSchema>
  readonly setup: Promise<Setup>
  /** Resolves with words for how it ended. */
  readonly exited: Promise<string>
  private readonly child: ChildProcess
  private readonly pipe: Duplex
  private readonly terminals: readonly Terminal[]
  private readonly described = Promise.withResolvers<DemoSchema>()
  private readonly prepared = Promise.withResolvers<Setup>()
  private current: { id: string; listener: CallListener; end: PromiseWithResolvers<CallEnd> } | undefined
  private logs = ''

  constructor({ command, args, cwd, env }: Launch) {
    this.child = spawn(command, [...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    this.pipe = this.child.stdio[3] as Duplex
    this.pipe.on('error', () => undefined)
    const printed = (source: 'stdout' | 'stderr') => (text: string) => this.print(source, text)
    this.terminals = [
      new Terminal(this.child.stdout as Readable, printed('stdout')),
      new Terminal(this.child.stderr as Readable, printed('stderr')),
    ]
    this.schema = this.described.promise
    this.setup = this.prepared.promise
    this.schema.catch(() => undefined)
    this.exited = this.exit(command)
    void this.listen()
  }

  /** Runs one prediction. Resolves, never rejects. */
  async predict(id: string, input: Record<string, unknown>, outbox: string, listener: CallListener): Promise<CallEnd> {
    const end = Promise.withResolvers<CallEnd>()
    this.current = { id, listener, end }
    this.pipe.write(encodeFrame({ type: 'predict', id, input, outbox }))
    void this.exited.then((error) => end.resolve({ type: 'crashed', error }))
    const ended = await end.promise
    this.current = undefined
    return ended
  }

  /** Asks the model to give up the prediction it holds. */
  cancel(id: string): void {
    this.pipe.write(encodeFrame({ type: 'cancel', id }))
  }

  /** Ends the worker and all it started, at once. */
  kill(): void {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      this.child.kill('SIGKILL')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill()
    await this.exited
  }

  private async listen(): Promise<void> {
    try {
      for await (const message of readFrames<FromWorker>(this.pipe)) await this.take(message)
    } catch (error) {
      // Of one that is killed the pipe breaks off: how it exited tells more.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET')
        this.print('stderr', `the model's process sent something that is not understood: ${error}\n`)
      this.kill()
    }
  }

  private async take(message: FromWorker): Promise<void> {
    switch (message.type) {
      case 'schema': {
        const parsed = demoSchema.safeParse(message.schema)
        if (parsed.success) return this.described.resolve(parsed.data)
        const [issue] = parsed.error.issues
        this.prepared.resolve({ status: 'failed', error: `${issue?.path.join('.')}: ${issue?.message}`, logs: this.logs })
        return this.kill()
      }
      case 'ready':
        await this.printed('setup')
        return this.prepared.resolve({ status: 'succeeded', logs: this.logs })
      case 'setup_failed':
        await this.printed('setup')
        return this.prepared.resolve({ status: 'failed', error: message.error, logs: `${this.logs}${withReason(message)}` })
      case 'progress':
      case 'output':
        if (this.current?.id === message.id) this.current.listener.onPart(message)
        return
      default:
        await this.ended(message)
    }
  }

  private async ended(message: Extract<FromWorker, { type: 'done' | 'failed' | 'canceled' }>): Promise<void> {
    const { current } = this
    if (current?.id !== message.id) return
    await this.printed(message.id)
    if (message.type === 'failed') current.listener.onText('stderr', `${message.traceback}\n`)
    current.end.resolve(message)
  }

  /** All that was printed before now was told; a model that closed its terminal is waited for no longer than a moment. */
  private async printed(id: string): Promise<void> {
    const patience = new AbortController()
    const marks = Promise.all(this.terminals.map((terminal) => Promise.race([terminal.until(id), terminal.ended])))
    await Promise.race([marks, setTimeout(markPatienceMs, undefined, { signal: patience.signal }).catch(() => undefined)])
    patience.abort()
  }

  private print(source: 'stdout' | 'stderr', text: string): void {
    if (this.current) this.current.listener.onText(source, text)
    else this.logs = (this.logs + text).slice(-keptLog)
    process[source].write(text)
  }

  private async exit(command: string): Promise<string> {
    const words = await new Promise<string>((resolve) => {
      this.child.once('error', (error) => resolve(`${command} could not be started: ${error.message}`))
      this.child.once('exit', (code, signal) =>
        resolve(signal ? `the model's process was ended by ${signal}` : `the model's process exited with code ${code}`),
      )
    })
    await Promise.race([Promise.all(this.terminals.map((terminal) => terminal.ended)), setTimeout(markPatienceMs)])
    this.described.reject(new Error(words))
    this.prepared.resolve({ status: 'failed', error: words, logs: `${this.logs}${words}\n` })
    return words
  }
}

/** The last line says what went wrong: Python's traceback does, Node's begins with it. */
function withReason({ error, traceback }: { error: string; traceback: string }): string {
  const trace = traceback.trimEnd()
  return trace.endsWith(error) ? `${trace}\n` : `${trace}\n${error}\n`
}
