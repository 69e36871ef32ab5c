import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { format } from 'node:util'
import { componentOf, type Field, isFileComponent } from '@origami/protocol/demo'
import type { AnyDemo, Call } from '../../author/demo.ts'
import type { DescribedDemo, FileOnWire, FromWorker, ToWorker } from '../wire/messages.ts'

type Predict = Extract<ToWorker, { type: 'predict' }>

/** How many calls may wait in a worker for their turn. */
export const ahead = 8

/** The predictions of one worker, one at a time. */
export class Calls {
  private readonly demo: AnyDemo
  private readonly schema: DescribedDemo
  private readonly send: (message: FromWorker) => Promise<void>
  private readonly mark: (id: string) => void
  private readonly cancels = new Map<string, AbortController>()
  /** Those that wait for their turn, in order. */
  private readonly waiting = new Map<string, Predict>()
  private isWorking = false

  /** `send` resolves once the message is on its way, whatever becomes of this process. */
  constructor(
    demo: AnyDemo,
    schema: DescribedDemo,
    send: (message: FromWorker) => Promise<void>,
    mark: (id: string) => void,
  ) {
    this.demo = demo
    this.schema = schema
    this.send = send
    this.mark = mark
  }

  cancel(id: string): void {
    if (this.waiting.delete(id)) void this.send({ type: 'canceled', id, marked: false })
    else this.cancels.get(id)?.abort(new Error('canceled'))
  }

  predict(call: Predict): void {
    this.waiting.set(call.id, call)
    if (!this.isWorking) void this.work()
  }

  /** Runs what waits and what comes meanwhile. Each begins once the end of the one before is on its way. */
  private async work(): Promise<void> {
    this.isWorking = true
    let hasWaited = false
    for (const [id, call] of this.waiting) {
      // What has come meanwhile is heard first: one that was canceled never begins.
      if (hasWaited) await setImmediate()
      hasWaited = true
      if (this.waiting.delete(id)) await this.perform(call)
    }
    this.isWorking = false
  }

  private async perform({ id, input, outbox }: Predict): Promise<void> {
    const cancel = new AbortController()
    this.cancels.set(id, cancel)
    try {
      const output = await this.run(id, input, outbox, cancel.signal)
      this.mark(id)
      await this.send(cancel.signal.aborted ? { type: 'canceled', id } : { type: 'done', id, output })
    } catch (error) {
      this.mark(id)
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      await this.send(
        cancel.signal.aborted
          ? { type: 'canceled', id }
          : { type: 'failed', id, error: message, traceback: stack ?? message },
      )
    } finally {
      this.cancels.delete(id)
    }
  }

  private async run(
    id: string,
    input: Record<string, unknown>,
    outbox: string,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const call: Call = {
      id,
      signal,
      progress: (done, total = null, note) => {
        void this.send({ type: 'progress', id, done, total, note: note ?? null })
      },
      log: (...values) => process.stdout.write(`${format(...values)}\n`),
    }
    const result = this.demo.predict(this.withFiles(input), call)
    if (!isGenerator(result)) return this.toWire(await result, outbox)
    let output: Record<string, unknown> = {}
    for (;;) {
      const { value, done } = await result.next()
      if (done) return value === undefined ? output : this.toWire(value, outbox)
      if (signal.aborted) await result.return(undefined)
      const part = await this.toWire(value, outbox)
      for (const [field, chunk] of Object.entries(part)) {
        const grows = typeof chunk === 'string' && this.grows(field)
        void this.send({ type: 'output', id, field, mode: grows ? 'append' : 'replace', chunk })
        output = { ...output, [field]: grows ? `${output[field] ?? ''}${chunk}` : chunk }
      }
    }
  }

  /** Whether parts are appended: only those of a single text output are. All others replace the part before. */
  private grows(name: string): boolean {
    const [only, ...more] = this.schema.outputs
    return more.length === 0 && only?.name === name && componentOf(only.component).grows === true
  }

  private withFiles(input: Record<string, unknown>): Record<string, unknown> {
    const isFile = (name: string) =>
      this.schema.inputs.some((field) => field.name === name && isFileComponent(field.component))
    const open = (value: unknown) =>
      value === null ? null : { ...(value as FileOnWire), bytes: () => readFile((value as FileOnWire).path) }
    return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, isFile(name) ? open(value) : value]))
  }

  /** The result of `predict` by field name, with its files on disk. */
  private async toWire(value: unknown, outbox: string): Promise<Record<string, unknown>> {
    const [only, ...more] = this.schema.outputs
    const byName = only && more.length === 0 ? { [only.name]: value } : ((value ?? {}) as Record<string, unknown>)
    const wire: Record<string, unknown> = {}
    for (const field of this.schema.outputs) {
      if (!(field.name in byName)) continue
      const returned = byName[field.name]
      wire[field.name] =
        isFileComponent(field.component) && returned != null
          ? await fileOf(field, returned, outbox)
          : (returned ?? null)
    }
    return wire
  }
}

async function fileOf(field: Field, returned: unknown, outbox: string): Promise<FileOnWire> {
  const { path, bytes, name, type } =
    returned instanceof Uint8Array
      ? ({ bytes: returned } as Partial<FileOnWire> & { bytes?: Uint8Array })
      : (returned as Partial<FileOnWire> & { bytes?: Uint8Array })
  const about = { ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) }
  if (path !== undefined) return { path, ...about }
  if (!(bytes instanceof Uint8Array))
    throw new Error(`output ${field.name}: expected bytes or { path }, got ${typeof returned}`)
  const written = join(outbox, `${field.name}-${crypto.randomUUID()}`)
  await writeFile(written, bytes)
  return { path: written, name: name ?? field.name, ...(type === undefined ? {} : { type }) }
}

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
