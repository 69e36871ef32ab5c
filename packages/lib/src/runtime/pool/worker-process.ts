import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { encodeFrame, FrameReader } from '../wire/frames.ts'
import {
  type DescribedDemo,
  describedDemo,
  parseFromWorker,
  type ToWorker,
  type WorkerMessage,
} from '../wire/messages.ts'
import type { Launch } from './launch.ts'
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

/** The events of a call. Its end comes last. Before it has begun only its end may come. */
export type CallEvent =
  | { readonly type: 'begun' }
  | { readonly type: 'text'; readonly source: 'stdout' | 'stderr'; readonly text: string }
  | Extract<WorkerMessage, { type: 'progress' | 'output' }>
  | CallEnd

export const isEnd = (event: CallEvent): event is CallEnd =>
  event.type !== 'begun' && event.type !== 'output' && event.type !== 'text' && event.type !== 'progress'

type Source = 'stdout' | 'stderr'

/** A call that was written and has not ended. */
interface HeldCall {
  take(event: CallEvent): void
  /** Whether the worker may have begun it. Those that wait in it begin in the order in which they were written. */
  hasBegun: boolean
  /** What was printed after its end, before its end was heard: it belongs to the one after it. */
  readonly printedAfter: (readonly [Source, string])[]
}

/**
 * A call runs this long before what it prints is read. Till then that stays where its worker sees it, which marks the
 * end where there is something. A worker that begins the next one later than half of that marks the end in any case.
 */
const heldMs = 30
const markPatienceMs = 250
const closePatienceMs = 2000
const maxLogLength = 64 * 1024

/** Descriptor 3 is what the worker is told, 4 what it says. */
const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe', 'pipe']

/** Whether the process at the other end is gone. How it exited says more. */
const isBroken = ({ code }: NodeJS.ErrnoException): boolean => code === 'ECONNRESET' || code === 'EPIPE'

/**
 * One worker: a process that has loaded the model. It runs as many calls at a time as it has slots. Those that are
 * written beyond wait in it.
 */
export class WorkerProcess implements AsyncDisposable {
  readonly schema: Promise<DescribedDemo>
  readonly setup: Promise<Setup>
  /** Resolves to a sentence that says how the process ended. */
  readonly exited: Promise<string>
  /** The calls that were written to it and have not ended. */
  readonly calls = new Map<string, HeldCall>()
  slots = 1
  /** How many calls may wait in it. */
  ahead = 0
  /** Whether it has held a call. */
  hasServed = false
  private readonly child: ChildProcess
  private readonly writing: Duplex
  /** Apart from what is written to: a write that fails must not lose what the worker sent before it died. */
  private readonly reading: Duplex
  private readonly terminals: readonly Terminal[]
  private readonly frames = new FrameReader()
  /** What is written in this turn of the event loop, which goes out in one write. */
  private unsent: Uint8Array[] = []
  private readonly described = Promise.withResolvers<DescribedDemo>()
  private readonly prepared = Promise.withResolvers<Setup>()
  private logs = ''
  private whyKilled: string | undefined
  private gone = false
  /** When the call began that the terminals are held for. */
  private heldSince = 0
  private letGo: NodeJS.Timeout | undefined
  private isMisunderstood = false
  /** The call that was written last. */
  private lastWritten: string | undefined
  /** Whether something was written that the worker never read. */
  private leftUnread = false

  constructor({ command, args, cwd, env }: Launch) {
    this.child = spawn(command, [...args], { cwd, env, detached: true, stdio })
    const ended = this.end(command)
    const [, , , writing, reading] = this.child.stdio ?? []
    if (!writing || !reading) throw new Error(`${command} could not be started: this process has too many open files`)
    this.writing = writing as Duplex
    this.reading = reading as Duplex
    this.writing
      .on('error', (error) => {
        this.leftUnread = isBroken(error)
        if (!this.leftUnread) this.misunderstand(error)
      })
      .resume() // Nothing comes, and what broke it is heard.
    this.reading
      .on('data', (chunk: Uint8Array) => this.hear(this.frames.read(chunk)))
      .on('end', () => void this.endOfPipe())
      .on('close', () => this.release())
      .on('error', (error) => {
        if (!isBroken(error)) this.misunderstand(error)
      })
    this.terminals = [this.terminal('stdout'), this.terminal('stderr')]
    this.schema = this.described.promise
    this.setup = this.prepared.promise
    // A rejection reaches those who ask for the schema, and is no error when nobody does.
    this.schema.catch(() => undefined)
    this.exited = this.exit(ended)
  }

  /** Whether calls can be written to it. */
  get isOpen(): boolean {
    return !this.gone && this.writing.writable
  }

  /** Runs one call, whose events go to `take` in order. Never throws: an error is the call's end. */
  predict(call: Omit<Extract<ToWorker, { type: 'predict' }>, 'type'>, take: (event: CallEvent) => void): void {
    if (!this.isOpen) {
      take({ type: 'not_begun' })
      return
    }
    this.hasServed = true
    const isAhead = this.calls.size >= this.slots
    if (this.calls.size === 0) this.hold()
    this.calls.set(call.id, { take, hasBegun: false, printedAfter: [] })
    try {
      this.write({ type: 'predict', ...call, ...(isAhead ? { ahead: true } : {}) })
      this.lastWritten = call.id
      this.beginNext()
    } catch (error) {
      this.endCall(call.id, {
        type: 'failed',
        error: `the input is too large: ${error instanceof Error ? error.message : error}`,
      })
    }
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
    const frame = encodeFrame(message)
    if (!this.writing.writable) return
    if (this.unsent.push(frame) === 1) process.nextTick(() => this.flush())
  }

  private flush(): void {
    const frames = this.unsent
    this.unsent = []
    const [only, ...more] = frames
    if (only && this.writing.writable) this.writing.write(more.length === 0 ? only : Buffer.concat(frames))
  }

  /** Takes messages. When one has to wait for the terminals, those after it wait too, and nothing more is read. */
  private hear(frames: Iterator<unknown>): void {
    try {
      for (let frame = frames.next(); !frame.done; frame = frames.next()) {
        const message = parseFromWorker(frame.value)
        const taken = message.success ? this.take(message.data) : this.refuse(frame.value, message.error.issues[0])
        if (!taken) continue
        this.reading.pause()
        void taken.then(() => this.hear(frames))
        return
      }
      if (this.reading.isPaused()) this.reading.resume()
    } catch (error) {
      this.misunderstand(error)
    }
  }

  /** A model that closes all file descriptors closes this pipe too, and then runs on without a connection. */
  private async endOfPipe(): Promise<void> {
    await Promise.race([this.exited, setTimeout(closePatienceMs, undefined, { ref: false })])
    this.kill("the model's process closed its connection to the runtime")
  }

  private misunderstand(error: unknown): void {
    this.isMisunderstood = true
    const problem = error instanceof Error ? error.message : error
    const message = `the model's process sent something that is not understood: ${problem}`
    this.reading.destroy()
    this.print(`${message}\n`)
    this.kill(message)
  }

  /** Logs a message that is not valid and ignores it. If it was meant as the end of a call, the call fails. */
  private refuse(frame: unknown, issue: { readonly message: string } | undefined): undefined {
    const problem = issue?.message ?? 'it is of no known kind'
    const { type, id } = (typeof frame === 'object' && frame !== null ? frame : {}) as { type?: unknown; id?: unknown }
    const message = `the model's process sent a message ${JSON.stringify(type)} that is not understood: ${problem}`
    this.print(`${message.slice(0, 500)}\n`)
    if (typeof id === 'string' && (type === 'done' || type === 'failed' || type === 'canceled'))
      this.endCall(id, { type: 'failed', error: message.slice(0, 500) })
  }

  /** Handles a message at once, or until the promise resolves where it waits for the terminals. */
  private take(message: WorkerMessage): Promise<void> | undefined {
    switch (message.type) {
      case 'schema':
        this.describe(message.schema)
        return undefined
      case 'ready':
      case 'setup_failed':
        return this.setUp(message)
      case 'log':
        this.calls.get(message.id)?.take({ type: 'text', source: message.source, text: message.text })
        process[message.source].write(message.text)
        return undefined
      case 'progress':
      case 'output':
        this.calls.get(message.id)?.take(message)
        return undefined
      default:
        return this.callEnded(message)
    }
  }

  private async setUp(message: Extract<WorkerMessage, { type: 'ready' | 'setup_failed' }>): Promise<void> {
    await this.printed('setup')
    if (message.type === 'ready') {
      this.slots = message.slots
      // What calls print one after the other can be told apart only where terminals can be held.
      this.ahead = this.terminals.every(({ canHold }) => canHold) ? message.ahead : 0
      this.prepared.resolve({ status: 'succeeded', logs: this.logs, slots: message.slots })
    } else {
      const logs = `${this.logs}${withReason(message)}`
      this.prepared.resolve({ status: 'failed', error: message.error, logs })
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

  private callEnded(
    message: Extract<WorkerMessage, { type: 'done' | 'failed' | 'canceled' }>,
  ): Promise<void> | undefined {
    const end = () => {
      if (message.type === 'failed')
        this.calls.get(message.id)?.take({ type: 'text', source: 'stderr', text: `${message.traceback}\n` })
      this.endCall(message.id, message)
    }
    // With several calls at once the terminals belong to none of them. What a call printed came through the pipe before
    // its end.
    const pending = this.slots === 1 && message.marked ? this.printed(message.id) : undefined
    if (pending) return pending.then(end)
    end()
    return undefined
  }

  private endCall(id: string, end: CallEnd): void {
    const call = this.calls.get(id)
    this.calls.delete(id)
    call?.take(end)
    if (this.gone) return
    this.hold()
    this.beginNext()
    for (const [source, text] of call?.printedAfter ?? []) this.hand(source, text)
  }

  /** Notes which calls the worker runs now: as many as it has slots, in the order in which they were written. */
  private beginNext(): void {
    let running = 0
    for (const call of this.calls.values()) {
      if (running === this.slots) return
      running += 1
      if (call.hasBegun) continue
      call.hasBegun = true
      call.take({ type: 'begun' })
    }
  }

  private terminal(source: Source): Terminal {
    let marked = ''
    return new Terminal(
      this.child[source] as Readable,
      (text) => {
        const ended = this.slots === 1 ? this.calls.get(marked) : undefined
        if (ended) ended.printedAfter.push([source, text])
        else this.hand(source, text)
        process[source].write(text)
      },
      (id) => {
        marked = id
      },
    )
  }

  /**
   * Resolves when everything printed before now was passed on. Undefined: it was. A model that closed its terminal is
   * waited for only a moment.
   */
  private printed(id: string): Promise<void> | undefined {
    const late = this.terminals.filter((terminal) => !terminal.hasPassed(id))
    return late.length === 0 ? undefined : this.passed(late, id)
  }

  private passed(terminals: readonly Terminal[], id: string): Promise<void> {
    return new Promise((resolve) => {
      const patience = globalThis.setTimeout(resolve, markPatienceMs)
      void Promise.all(terminals.map((terminal) => terminal.until(id))).then(() => {
        clearTimeout(patience)
        resolve()
      })
    })
  }

  /** Holds the terminals for the call that begins now, or for the next one. Only those of one at a time are held. */
  private hold(): void {
    if (this.ahead === 0 || this.slots > 1) return
    this.heldSince = performance.now()
    for (const terminal of this.terminals) terminal.hold()
    this.letGo ??= globalThis.setTimeout(() => this.letGoSoon(), heldMs).unref()
  }

  /** Reads the terminals once all was heard that was sent up to now, unless another call began meanwhile. */
  private letGoSoon(): void {
    const since = this.heldSince
    const isDue = performance.now() - since >= heldMs
    setImmediate(() => {
      const isHeard = since === this.heldSince && !this.reading.isPaused() && !this.frames.isWithin
      this.letGo = undefined
      if (isDue && isHeard) for (const terminal of this.terminals) terminal.read()
      else this.letGo = globalThis.setTimeout(() => this.letGoSoon(), heldMs).unref()
    })
  }

  private release(): void {
    clearTimeout(this.letGo)
    for (const terminal of this.terminals) terminal.release()
  }

  /** Output on the terminals belongs to a call only when there can be just one. */
  private hand(source: Source, text: string): void {
    const [first] = this.slots === 1 ? this.calls.values() : []
    if (first) first.take({ type: 'text', source, text })
    else this.logs = (this.logs + text).slice(-maxLogLength)
  }

  /** Prints something of our own as if the worker had. */
  private print(text: string): void {
    this.hand('stderr', text)
    process.stderr.write(text)
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
    // One that broke is closed too.
    const closed = [this.writing, this.reading].map((pipe) => once(pipe, 'close').catch(() => undefined))
    const how = await ended
    const message = this.whyKilled ?? how
    // What the model forked may hold the connection open, but nothing more is said.
    globalThis.setTimeout(() => this.release(), markPatienceMs / 5)
    await Promise.race([
      Promise.all([...closed, ...this.terminals.map((terminal) => terminal.ended)]),
      setTimeout(markPatienceMs, undefined),
    ])
    this.gone = true
    for (const [id, { hasBegun }] of [...this.calls]) {
      // All that the worker said was heard, unless it was not understood.
      const mayHaveBegun = hasBegun || this.isMisunderstood
      // A call that was not read completely cannot have begun. It is not known how far earlier ones came.
      const isUnread = this.leftUnread && id === this.lastWritten
      this.endCall(id, mayHaveBegun && !isUnread ? { type: 'crashed', error: message } : { type: 'not_begun' })
    }
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
