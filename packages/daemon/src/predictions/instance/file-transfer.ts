import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import {
  type DemoSchema,
  type FileRef,
  type Input,
  Invalid,
  isFileComponent,
  outputFields,
  parseFileRef,
} from '@origami/protocol/demo'
import type { Files, FolderFiles, HttpPredictor } from '@origami/serving'
import type { Limits } from '../../config.ts'
import type { HandedFiles } from './handed-files.ts'

const log = logger('predictions')

/** The instance has a result that cannot be stored here. The message is for people. */
export class ResultLost extends Error {
  override readonly name = 'ResultLost'
  readonly reason: 'error' | 'interrupted'
  constructor(reason: 'error' | 'interrupted', message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The files that the values of file components name. */
export function filesOfFields(fields: DemoSchema['inputs'], values: Record<string, unknown>): FileRef[] {
  return fields
    .filter(({ component }) => isFileComponent(component))
    .flatMap(({ name }) => parseFileRef(String(values[name]))?.ref ?? [])
}

export const outputFiles = (schema: DemoSchema, output: unknown): FileRef[] =>
  filesOfFields(schema.outputs, outputFields(schema, output))

/**
 * Brings an instance the files of an input: by a folder on this host where it sees one, else over HTTP. Returns the
 * input with the references that hold there. A file that is no longer stored here is left out, and the instance reports
 * it missing.
 */
export async function bringFiles(
  files: FolderFiles,
  instance: HttpPredictor,
  schema: DemoSchema,
  input: Input,
  signal: AbortSignal,
  handed?: HandedFiles,
): Promise<Input> {
  const brought = { ...input }
  for (const { name, component } of schema.inputs) {
    const parts = isFileComponent(component) ? parseFileRef(String(input[name])) : undefined
    if (!parts) continue
    const given = await handed?.hand(parts.ref, instance, signal)
    if (given) brought[name] = given
    else await sendFile(files, instance, parts, signal)
  }
  return brought
}

async function sendFile(
  files: FolderFiles,
  instance: HttpPredictor,
  { id, name, ref }: { id: string; name: string; ref: FileRef },
  signal: AbortSignal,
): Promise<void> {
  const file = await files.open(ref)
  if (file) await instance.files.put(id, name, file.type, file.bytes(), signal, file.size)
}

/**
 * Stores the files of an output here. Tries again after failures, within the time limit for results. Throws ResultLost,
 * or the signal's reason.
 */
export async function fetchResults(
  files: Files,
  instance: HttpPredictor,
  refs: readonly FileRef[],
  limits: Pick<Limits, 'fileBytes' | 'retryMs' | 'resultMs'>,
  signal: AbortSignal,
): Promise<void> {
  if (refs.length === 0) return
  const deadline = AbortSignal.timeout(limits.resultMs)
  try {
    await fetchAll(files, instance, refs, limits, AbortSignal.any([signal, deadline]))
  } catch (error) {
    signal.throwIfAborted()
    if (!deadline.aborted) throw error
    throw new ResultLost(
      'error',
      `The model's results took longer to fetch than the ${limits.resultMs / 1000} s they may.`,
    )
  }
}

async function fetchAll(
  files: Files,
  instance: HttpPredictor,
  refs: readonly FileRef[],
  limits: Pick<Limits, 'fileBytes' | 'retryMs'>,
  signal: AbortSignal,
): Promise<void> {
  const pauses = limits.retryMs.slice(0, 4)
  for (const ref of refs)
    for (let attempt = 0; ; attempt += 1)
      try {
        await fetchResult(files, instance, ref, limits.fileBytes, signal)
        break
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof ResultLost) throw error
        const pause = pauses[attempt]
        if (pause === undefined) throw new ResultLost('interrupted', lost(ref, error), { cause: error })
        log.error(`the result ${ref} could not be fetched and is tried again`, error)
        await setTimeout(pause, undefined, { signal })
      }
}

async function fetchResult(
  files: Files,
  instance: HttpPredictor,
  ref: FileRef,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const [parts, file] = [parseFileRef(ref), await instance.files.open(ref, signal)]
  if (!parts || !file) throw new Error('it is not there')
  if (file.size > limit) throw new ResultLost('error', tooLarge(parts.name, limit, file.size))
  try {
    await files.put(parts.id, parts.name, file.type, file.bytes())
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const isTooLarge = error.problems.some(({ type }) => type === 'value_error.too_large')
    const message = isTooLarge ? tooLarge(parts.name, limit) : refused(parts.name, error)
    throw new ResultLost('error', message, { cause: error })
  }
}

function tooLarge(name: string, limit: number, size?: number): string {
  const actual = size ? `, and it has ${size}` : ''
  return `The model's result ${name} is too large: this server keeps files of at most ${limit} bytes${actual}.`
}

const refused = (name: string, { message }: Invalid): string =>
  `The model's result ${name} cannot be kept: ${message}. Run it again.`

function lost(ref: FileRef, error: unknown): string {
  const why = error instanceof Error ? error.message : error
  return `The model answered, but its result ${parseFileRef(ref)?.name} could not be fetched (${why}). Run it again.`
}
