import { type DemoSchema, type Input, Invalid, type PredictionId, shown, type VisitorId } from '@origami/protocol/demo'
import { hasFiles, resolveInputFiles } from '../files/input-files.ts'
import type { FetchBounds } from '../files/remote.ts'
import type { Follow, Prediction, Predictor } from '../predictor.ts'

/** How a server reads the inputs that it is sent. */
export interface InputOptions {
  /** The largest file in bytes. Called for each file. */
  maxFileBytes(): number
  /**
   * Whether http(s) URLs of files are fetched, from public addresses, and with which limits. `data:` URIs are always
   * accepted.
   */
  readonly remoteFiles: boolean | (() => FetchBounds)
}

export interface Submitted {
  readonly id: PredictionId
  /** As it was sent. */
  readonly input: unknown
  readonly visitor: VisitorId | undefined
  readonly follow: Follow | undefined
  /** The prefix of this server's file references. */
  readonly base: string
}

/** Checks an input as it was sent, stores the files in it, and submits it. `leaving` ends fetches. Throws Invalid. */
export async function submitInput(
  predictor: Predictor,
  schema: DemoSchema,
  { id, input: sent, visitor, follow, base }: Submitted,
  { maxFileBytes, remoteFiles }: InputOptions,
  leaving: () => AbortSignal,
): Promise<Prediction> {
  if (!isObject(sent)) throw unfit(`expected input to be an object of fields, got ${shown(sent)}`)
  if (!hasFiniteNumbers(sent)) throw endless(sent)
  if (!hasFiles(schema)) return predictor.submit({ id, input: sent, visitor, follow })
  const remote = typeof remoteFiles === 'function' ? remoteFiles() : remoteFiles && {}
  const bounds = { base, remote, maxFileBytes: maxFileBytes(), leaving }
  const input: Input = await resolveInputFiles(schema, sent, predictor.files, bounds)
  return predictor.submit({ id, input, visitor, follow })
}

function endless(sent: Record<string, unknown>): Invalid {
  const fields = Object.keys(sent).filter((name) => !hasFiniteNumbers(sent[name]))
  const [type, message] = ['value_error', 'expected numbers below 1.8e308']
  return new Invalid(fields.slice(0, 10).map((field) => ({ field, type, message })))
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const unfit = (message: string): Invalid => new Invalid([{ type: 'value_error', message }])

/** Whether all numbers in a JSON value are finite. A number that is too large to parse would be sent on as null. */
function hasFiniteNumbers(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value !== 'object' || value === null || Object.values(value).every(hasFiniteNumbers)
}
