import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DemoSchema, isFileComponent } from '@origami/protocol/demo'
import { inputForWorker, outputFromWorker, valueFromWorker } from './carry.ts'
import type { CountedFiles } from './counted-files.ts'
import type { Run } from './run.ts'
import type { CallEnd, CallEvent, WorkerProcess } from './worker-process.ts'

export interface WorkerCallOptions {
  readonly schema: DemoSchema
  readonly files: CountedFiles
  /** How long the model may run. */
  readonly timeoutMs: number
  /** How long it may run after a cancel before its process is killed. */
  readonly graceMs: number
}

/** A text that is appended without end would fill the memory. */
const maxAppended = 32 * 1024 ** 2

/** Why a call must end before the model is done. */
type Stop = 'cancel' | 'timeout' | 'shutdown'

/** One prediction in one worker, from its files to its end. */
export class WorkerCall {
  readonly run: Run
  readonly worker: WorkerProcess
  private readonly options: WorkerCallOptions
  private stopped: Stop | undefined
  /** Whether the worker holds the call: from the moment it is written until the worker reports its end. */
  private isHeld = false
  private deadline: NodeJS.Timeout | undefined
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
  async perform(): Promise<'ended' | 'not begun'> {
    const { run } = this
    try {
      if (!this.options.schema.outputs.some(({ component }) => isFileComponent(component)))
        return await this.performWith('')
      const outbox = await mkdtemp(join(tmpdir(), 'origami-out-'))
      try {
        return await this.performWith(outbox)
      } finally {
        await rm(outbox, { recursive: true, force: true })
      }
    } catch (error) {
      run.fail('error', `It could not be prepared: ${error instanceof Error ? error.message : error}`)
      return 'ended'
    }
  }

  /** Asks the model to stop, and kills its process when it does not within the grace. */
  stop(why: Stop): void {
    if (this.stopped) return
    this.stopped = why
    if (this.isHeld) this.askToStop()
  }

  private async performWith(outbox: string): Promise<'ended' | 'not begun'> {
    const { run, worker, options } = this
    const input = await inputForWorker(options.schema, run, options.files)
    if (this.stopped) return this.end({ type: 'canceled' })
    run.start()
    this.deadline = setTimeout(() => this.stop('timeout'), options.timeoutMs)
    try {
      const events = worker.predict({ id: run.id, input, outbox })
      this.isHeld = true
      for await (const event of events) {
        const ended = await this.take(event)
        if (ended) return ended
      }
      return this.end({ type: 'crashed', error: 'it did not say how it ended' })
    } catch (error) {
      // The model's output cannot be accepted, so the model need not go on.
      run.fail('error', error instanceof Error ? error.message : String(error))
      await this.untilFree()
      return 'ended'
    } finally {
      this.letGo()
    }
  }

  /** Handles one event. Undefined: the call goes on. */
  private async take(event: CallEvent): Promise<'ended' | 'not begun' | undefined> {
    const { run } = this
    switch (event.type) {
      case 'text':
        run.print(event.source, event.text)
        return
      case 'progress':
        run.progress(event.done, event.total, event.note)
        return
      case 'output':
        await this.part(event)
        return
      default:
        return this.end(event)
    }
  }

  private async part({ field, mode, chunk }: Extract<CallEvent, { type: 'output' }>): Promise<void> {
    const { run, options } = this
    const grows =
      mode === 'append' && typeof chunk === 'string' && options.schema.outputs.some(({ name }) => name === field)
    if (!grows) return run.part(field, mode, await valueFromWorker(options.schema, field, chunk, run, options.files))
    this.appended += chunk.length
    if (this.appended > maxAppended) throw new Error(`output ${field}: it grew beyond ${maxAppended} characters`)
    run.part(field, mode, chunk)
  }

  private async end(end: CallEnd): Promise<'ended' | 'not begun'> {
    const { run, options } = this
    this.letGo()
    if (this.stopped === 'timeout')
      run.fail('timeout', `It ran longer than the ${options.timeoutMs / 1000} s that one prediction may.`)
    else if (this.stopped === 'shutdown') run.fail('interrupted', 'The runtime was stopped while it ran.')
    else if (end.type === 'done') run.succeed(await outputFromWorker(options.schema, end.output, run, options.files))
    else if (this.stopped === 'cancel' || end.type === 'canceled') run.canceled()
    else if (end.type === 'failed') run.fail('error', end.error)
    else if (end.type === 'crashed') run.fail('crashed', `The model's process died: ${end.error}`)
    else return 'not begun'
    return 'ended'
  }

  /** Resolves when the worker has answered the call or is gone. */
  private async untilFree(): Promise<void> {
    const events = this.worker.calls.get(this.run.id)
    if (!events) return
    this.stop('cancel')
    for await (const _ of events);
  }

  /** From here on the worker may have another prediction, so it is not killed for this one. */
  private letGo(): void {
    this.isHeld = false
    clearTimeout(this.deadline)
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
