import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoSchema, type FailureReason, type Field, isFileComponent } from '@origami/protocol/demo'
import { inputForWorker, outputFromWorker, plainOutput, plainValue, valueFromWorker } from './carry.ts'
import type { CountedFiles } from './counted-files.ts'
import { Deadlines } from './deadlines.ts'
import type { Run } from './run.ts'
import { type CallEnd, type CallEvent, isEnd, type WorkerProcess } from './worker-process.ts'

export interface WorkerCallOptions {
  readonly schema: DemoSchema
  readonly files: CountedFiles
  /** How long the model may run. */
  readonly timeoutMs: number
  /** How long it may run after a cancel before its process is killed. */
  readonly graceMs: number
  /** Called when its worker may have begun it, unless it was canceled before. */
  onBegin?(): void
}

/** A text that is appended without end would fill the memory. */
const maxAppended = 32 * 1024 ** 2

const deadlines = new Deadlines()

/** Why a call must end before the model is done. */
type Stop = 'cancel' | 'timeout' | 'shutdown'
type Outcome = 'ended' | 'not begun'

/** One prediction in one worker, from its files to its end. */
export class WorkerCall {
  readonly run: Run
  readonly worker: WorkerProcess
  private readonly options: WorkerCallOptions
  private readonly outcome = Promise.withResolvers<Outcome>()
  private stopped: Stop | undefined
  /** Whether the worker holds the call: from the moment it is written until the worker reports its end. */
  private isHeld = false
  private hasBegun = false
  /** Whether its output could not be accepted, so that only its end is waited for. */
  private isRefused = false
  /** The events that are still being handled, because a file comes with one of them. */
  private handling: Promise<void> | undefined
  private grace: NodeJS.Timeout | undefined
  private appended = 0

  constructor(run: Run, worker: WorkerProcess, options: WorkerCallOptions) {
    this.run = run
    this.worker = worker
    this.options = options
  }

  /**
   * Resolves to `ended` however the prediction ended, or to `not begun` when its worker exited before it had read the
   * call. Never rejects.
   */
  perform(): Promise<Outcome> {
    const { inputs, outputs } = this.options.schema
    const [reads, gives] = [inputs.some(isFile), outputs.some(isFile)]
    if (reads || gives) return this.performWithFiles(gives)
    this.write(this.run.input, '')
    return this.outcome.promise
  }

  /**
   * Asks the model to stop, and kills its process when it does not within the grace. One that has not begun never does,
   * and is canceled at once where it was canceled.
   */
  stop(why: Stop): void {
    if (this.stopped) return
    this.stopped = why
    if (!this.isHeld) return
    if (this.hasBegun) this.askToStop()
    else if (why === 'cancel') {
      this.worker.cancel(this.run.id)
      this.run.canceled()
    }
  }

  private async performWithFiles(gives: boolean): Promise<Outcome> {
    const { schema, files } = this.options
    try {
      const outbox = gives ? await mkdtemp(join(tmpdir(), 'origami-out-')) : ''
      try {
        this.write(await inputForWorker(schema, this.run, files), outbox)
        return await this.outcome.promise
      } finally {
        if (gives) await rm(outbox, { recursive: true, force: true })
      }
    } catch (error) {
      this.run.fail('error', `It could not be prepared: ${messageOf(error)}`)
      return 'ended'
    }
  }

  private write(input: Record<string, unknown>, outbox: string): void {
    const { run, worker } = this
    if (this.stopped) {
      this.take({ type: this.stopped === 'shutdown' ? 'not_begun' : 'canceled' })
      return
    }
    this.isHeld = true
    worker.predict({ id: run.id, input, outbox }, (event) => this.take(event))
  }

  /** Handles an event once those before it are handled. */
  private take(event: CallEvent): void {
    if (isEnd(event)) this.letGo()
    const pending = this.handling ? this.handling.then(() => this.handle(event)) : this.handle(event)
    if (!pending) return
    this.handling = pending
    void pending.then(() => {
      if (this.handling === pending) this.handling = undefined
    })
  }

  /** Handles an event at once, or until the promise resolves where a file comes with it. Neither throws. */
  private handle(event: CallEvent): Promise<void> | undefined {
    try {
      return this.apply(event)?.catch((error) => this.refuse(error))
    } catch (error) {
      this.refuse(error)
      return undefined
    }
  }

  private apply(event: CallEvent): Promise<void> | undefined {
    const { run } = this
    if (isEnd(event)) return this.end(event)
    if (this.isRefused) return undefined
    if (event.type === 'output') return this.part(event)
    if (event.type === 'begun') this.begin()
    else if (event.type === 'text') run.print(event.source, event.text)
    else run.progress(event.done, event.total, event.note)
    return undefined
  }

  private begin(): void {
    const { run, options } = this
    this.hasBegun = true
    // What was canceled while it waited in its worker has ended, though the worker may have begun it all the same.
    if (this.stopped !== 'cancel') {
      run.start()
      options.onBegin?.()
    }
    if (this.stopped) this.askToStop()
    else deadlines.set(this, options.timeoutMs)
  }

  /** The model's output cannot be accepted, so the model need not go on. */
  private refuse(error: unknown): void {
    this.isRefused = true
    this.run.fail('error', messageOf(error))
    if (this.isHeld) this.stop('cancel')
    else this.outcome.resolve('ended')
  }

  private part({ field, mode, chunk }: Extract<CallEvent, { type: 'output' }>): Promise<void> | undefined {
    const { run, options } = this
    const { schema, files } = options
    const output = schema.outputs.find(({ name }) => name === field)
    if (mode === 'append' && typeof chunk === 'string' && output) {
      this.appended += chunk.length
      if (this.appended > maxAppended) throw new Error(`output ${field}: it grew beyond ${maxAppended} characters`)
      run.part(field, mode, chunk)
    } else if (output && isFile(output)) {
      return valueFromWorker(schema, field, chunk, run, files).then((value) => run.part(field, mode, value))
    } else run.part(field, mode, plainValue(schema, field, chunk))
    return undefined
  }

  private end(end: CallEnd): Promise<void> | undefined {
    const { run, options } = this
    // Its worker may have begun it, and whoever asks must not take it for one that can be run again.
    if (end.type === 'crashed') run.start()
    if (this.isRefused) this.outcome.resolve('ended')
    else if (this.stopped === 'timeout')
      this.fail('timeout', `It ran longer than the ${options.timeoutMs / 1000} s that one prediction may.`)
    else if (this.stopped === 'shutdown' && end.type === 'not_begun' && !this.hasBegun)
      this.outcome.resolve('not begun')
    else if (this.stopped === 'shutdown') this.fail('interrupted', 'The runtime was stopped while it ran.')
    else if (end.type === 'done') return this.succeed(end.output)
    else if (this.stopped === 'cancel' || end.type === 'canceled') {
      run.canceled()
      this.outcome.resolve('ended')
    } else if (end.type === 'failed') this.fail('error', end.error)
    else if (end.type === 'crashed') this.fail('crashed', `The model's process died: ${end.error}`)
    else this.outcome.resolve('not begun')
    return undefined
  }

  private succeed(returned: Record<string, unknown>): Promise<void> | undefined {
    const { run, options } = this
    const { schema, files } = options
    const succeed = (output: Record<string, unknown>) => {
      run.succeed(output)
      this.outcome.resolve('ended')
    }
    if (schema.outputs.some(isFile)) return outputFromWorker(schema, returned, run, files).then(succeed)
    succeed(plainOutput(schema, returned))
    return undefined
  }

  private fail(reason: FailureReason, error: string): void {
    this.run.fail(reason, error)
    this.outcome.resolve('ended')
  }

  /** Its deadline came. */
  expire(): void {
    this.stop('timeout')
  }

  /** From here on the worker may have another prediction, so it is not killed for this one. */
  private letGo(): void {
    this.isHeld = false
    deadlines.clear(this)
    clearTimeout(this.grace)
  }

  private askToStop(): void {
    const { run, worker, options } = this
    worker.cancel(run.id)
    this.grace = setTimeout(
      () => worker.kill('a prediction in it was to end but went on, so the process was ended'),
      options.graceMs,
    )
  }
}

const isFile = ({ component }: Field): boolean => isFileComponent(component)

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
