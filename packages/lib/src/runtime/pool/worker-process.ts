import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { encodeFrame, readFrames } from '../wire/frames.ts'
import { type DescribedDemo, describedDemo, fromWorker, type ToWorker, type WorkerMessage } from '../wire/messages.ts'
import type { Launch } from './launch.ts'
import { Mailbox } from './mailbox.ts'
import { Terminal } from './terminal.ts'

/** How the setup of a worker went. `logs` is its output. `slots` is how many calls it takes at once. */
export type Setup =
  | { readonly status: 'succeeded'; readonly logs: string; readonly slots: number }
  | { readonly status: 'failed'; readonly error: string; readonly logs: string }

/** How a call ended. `crashed`: the worker exited. `not_begun`: it exited before it had read the call. */
export type CallEnd =
  | { readonly type: 'done'; readonly output: Record<string, unknown> }
  | { readonly type: 'failed'; readonly error: string }
  | { readonly type: 'canceled' }
  | { readonly type: 'crashed'; readonly error: string }
  | { readonly type: 'not_begun' }

/** The events of a call. Its end comes last. */
export type CallEvent =
  | { readonly type: 'text'; readonly source: 'stdout' | 'stderr'; readonly text: string }
  | Extract<WorkerMessage, { type: 'progress' | 'output' }>
  | CallEnd

const markPatienceMs = 250
const closePatienceMs = 2000
const maxLogLength = 64 * 1024

/** One worker: a process that has loaded the model. It holds as many calls as it has slots. */
export class WorkerProcess implements AsyncDisposable {
  readonly schema: Promise<DescribedDemo>
  readonly setup: Promise<Setup>
  /** Resolves to a sentence that says how the process ended. */
  readonly exited: Promise<string>
  /** The calls that were written to it and have not ended. */
  readonly calls = new Map<string, Mailbox<CallEvent>>()
  slots = 1
  /** Whether it has held a call. */
  hasServed = false
  private readonly child: ChildProcess
  private readonly pipe: Duplex
  private readonly terminals: readonly Terminal[]
  private readonly described = Promise.withResolvers<DescribedDemo>()
  private readonly prepared = Promise.withResolvers<Setup>()
  private logs = ''
  private whyKilled: string | undefined
  private gone = false
  /** The call that was written last. */
  private lastWritten: string | undefined
  /** Whether the pipe broke with bytes in it that the worker never read. */
  private leftUnread = false

  constructor({ command, args, cwd, env }: Launch) {
    this.child = spawn(command, [...args], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
    const ended = this.end(command)
    if (!this.child.stdio?.[3]) throw new Error(`${command} could not be started: this process has too many open files`)
    this.pipe = this.child.stdio[3] as Duplex
    this.pipe.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.leftUnread = code === 'ECONNRESET' || code === 'EPIPE'
    })
    const printed = (source: 'stdout' | 'stderr') => (text: string) => this.print(source, text)
    this.terminals = [
      new Terminal(this.child.stdout as Readable, printed('stdout')),
      new Terminal(this.child.stderr as Readable, printed('stderr')),
    ]
    this.schema = this.described.promise
    this.setup = this.prepared.promise
    // A rejection reaches those who ask for the schema, and is no error when nobody does.
    this.schema.catch(() => undefined)
    this.exited = this.exit(ended)
    void this.listen()
  }

  /** Whether calls can be written to it. */
  get isOpen(): boolean {
    return !this.gone && this.pipe.writable
  }

  /** Runs one call. Never throws: an error is the call's end. */
  predict(call: Omit<Extract<ToWorker, { type: 'predict' }>, 'type'>): AsyncIterable<CallEvent> {
    const events = new Mailbox<CallEvent>()
    if (!this.isOpen) {
      events.put({ type: 'not_begun' })
      events.close()
      return events
    }
    this.hasServed = true
    this.calls.set(call.id, events)
    try {
      this.write({ type: 'predict', ...call })
      this.lastWritten = call.id
    } catch (error) {
      this.endCall(call.id, {
        type: 'failed',
        error: `the input is too large: ${error instanceof Error ? error.message : error}`,
      })
    }
    return events
  }

  /** Asks the model to stop a call that it holds. */
  cancel(id: string): void {
    this.lastWritten = undefined
    this.write({ type: 'cancel', id })
  }

  /** Kills the worker and everything that it started. `why` is the error of its other calls. */
  kill(why?: string): void {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null) return
    this.whyKilled ??= why
    try {
      process.kill(-this.child.pid, 'SIGKILL')
    } catch {
      // The group is gone or not made yet, so only the process is killed.
      this.child.kill('SIGKILL')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('the runtime is ending')
    await this.exited
  }

  private write(message: ToWorker): void {
    if (this.pipe.writable) this.pipe.write(encodeFrame(message))
  }

  private async listen(): Promise<void> {
    try {
      for await (const frame of readFrames(this.pipe)) {
        const message = fromWorker.safeParse(frame)
        if (message.success) await this.take(message.data)
        else this.refuse(frame, message.error.issues[0]?.message ?? 'it is of no known kind')
      }
      // A model that closes all file descriptors closes this pipe too, and then runs on without a connection.
      await Promise.race([this.exited, setTimeout(closePatienceMs, undefined, { ref: false })])
      this.kill("the model's process closed its connection to the runtime")
    } catch (error) {
      // The pipe of a killed process breaks. How the process exited says more.
      if (this.leftUnread) return
      const problem = error instanceof Error ? error.message : error
      const message = `the model's process sent something that is not understood: ${problem}`
      this.print('stderr', `${message}\n`)
      this.kill(message)
    }
  }

  /** Logs a message that is not valid and ignores it. If it was meant as the end of a call, the call fails. */
  private refuse(frame: unknown, problem: string): void {
    const { type, id } = (typeof frame === 'object' && frame !== null ? frame : {}) as { type?: unknown; id?: unknown }
    const message = `the model's process sent a message ${JSON.stringify(type)} that is not understood: ${problem}`
    this.print('stderr', `${message.slice(0, 500)}\n`)
    if (typeof id === 'string' && (type === 'done' || type === 'failed' || type === 'canceled'))
      this.endCall(id, { type: 'failed', error: message.slice(0, 500) })
  }

  private async take(message: WorkerMessage): Promise<void> {
    switch (message.type) {
      case 'schema':
        return this.describe(message.schema)
      case 'ready':
        await this.printed('setup')
        this.slots = message.slots
        return this.prepared.resolve({ status: 'succeeded', logs: this.logs, slots: message.slots })
      case 'setup_failed':
        await this.printed('setup')
        return this.prepared.resolve({
          status: 'failed',
          error: message.error,
          logs: `${this.logs}${withReason(message)}`,
        })
      case 'log':
        this.calls.get(message.id)?.put({ type: 'text', source: message.source, text: message.text })
        process[message.source].write(message.text)
        return
      case 'progress':
      case 'output':
        this.calls.get(message.id)?.put(message)
        return
      default:
        await this.callEnded(message)
    }
  }

  private describe(schema: unknown): void {
    const parsed = describedDemo.safeParse(schema)
    if (parsed.success) this.described.resolve(parsed.data)
    else {
      const [issue] = parsed.error.issues
      this.prepared.resolve({ status: 'failed', error: `${issue?.path.join('.')}: ${issue?.message}`, logs: this.logs })
      this.kill()
    }
  }

  private async callEnded(message: Extract<WorkerMessage, { type: 'done' | 'failed' | 'canceled' }>): Promise<void> {
    // With several calls at once the terminals belong to none of them. What a call printed came through the pipe before
    // its end.
    if (this.slots === 1 && message.marked) await this.printed(message.id)
    if (message.type === 'failed')
      this.calls.get(message.id)?.put({ type: 'text', source: 'stderr', text: `${message.traceback}\n` })
    this.endCall(message.id, message)
  }

  private endCall(id: string, end: CallEnd): void {
    const events = this.calls.get(id)
    this.calls.delete(id)
    events?.put(end)
    events?.close()
  }

  /**
   * Resolves when everything printed before now was passed on. A model that closed its terminal is waited for only a
   * moment.
   */
  private async printed(id: string): Promise<void> {
    const patience = new AbortController()
    const marks = Promise.all(this.terminals.map((terminal) => Promise.race([terminal.until(id), terminal.ended])))
    await Promise.race([
      marks,
      // It rejects when it is aborted below, once one of the two has come.
      setTimeout(markPatienceMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ])
    patience.abort()
  }

  /** Output on the terminals belongs to a call only when there can be just one. */
  private print(source: 'stdout' | 'stderr', text: string): void {
    const [only] = this.slots === 1 ? this.calls.values() : []
    if (only) only.put({ type: 'text', source, text })
    else this.logs = (this.logs + text).slice(-maxLogLength)
    process[source].write(text)
  }

  private end(command: string): Promise<string> {
    return new Promise((resolve) => {
      this.child.once('error', (error) => resolve(`${command} could not be started: ${error.message}`))
      this.child.once('exit', (code, signal) =>
        resolve(signal ? `the model's process was ended by ${signal}` : `the model's process exited with code ${code}`),
      )
    })
  }

  private async exit(ended: Promise<string>): Promise<string> {
    const closed = once(this.pipe, 'close').catch(() => undefined) // A pipe that broke is closed too.
    const how = await ended
    const message = this.whyKilled ?? how
    await Promise.race([
      Promise.all([closed, ...this.terminals.map((terminal) => terminal.ended)]),
      setTimeout(markPatienceMs, undefined),
    ])
    this.gone = true
    // A call that was not read completely cannot have begun. It is not known how far earlier ones came.
    for (const id of [...this.calls.keys()])
      this.endCall(
        id,
        this.leftUnread && id === this.lastWritten ? { type: 'not_begun' } : { type: 'crashed', error: message },
      )
    this.described.reject(new Error(message))
    this.prepared.resolve({ status: 'failed', error: message, logs: `${this.logs}${message}\n` })
    return message
  }
}

/**
 * The traceback of a failed setup with its reason as the last line. Python's traceback ends with the reason already,
 * Node's begins with it.
 */
function withReason({ error, traceback }: { error: string; traceback: string }): string {
  const trace = traceback.trimEnd()
  return trace.endsWith(error) ? `${trace}\n` : `${trace}\n${error}\n`
}
