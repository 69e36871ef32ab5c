import {
  type DemoSchema,
  type EndStatus,
  isTerminal,
  outputFields,
  outputValue,
  type PredictionEvent,
  type PredictionSnapshot,
  valueProblem,
} from '@origami/protocol/demo'
import { Misbehaved } from '@origami/serving'
import type { Limits } from '../../config.ts'
import { ResultLost } from './file-transfer.ts'

/** How a prediction ended, in values that may be stored. */
export interface CheckedEnd extends PredictionSnapshot {
  readonly status: EndStatus
  /** The output as JSON. Null: there is none. */
  readonly outputText: string | null
}

/**
 * Checks the end of a prediction as its instance reports it: outputs that the schema has and that fit it, the end of
 * the log, an error that a person can read. Throws ResultLost when a `succeeded` output does not fit, Misbehaved when
 * the report is no end.
 */
export function checkedEnd(
  end: PredictionSnapshot,
  schema: DemoSchema,
  limits: Pick<Limits, 'outputBytes' | 'predictionLogLength' | 'predictionErrorLength'>,
): CheckedEnd {
  const { status } = end
  if (!isTerminal(status)) throw new Misbehaved(`expected how it ended, got ${status}`)
  const { output, text, problem } = outputThatFits(end.output, schema, limits.outputBytes)
  if (problem !== undefined && status === 'succeeded')
    throw new ResultLost('error', `The model gave a wrong output: ${problem}`)
  const { predict_time: seconds } = end.metrics
  return {
    ...end,
    status,
    output,
    outputText: text,
    logs: end.logs.slice(-limits.predictionLogLength),
    error: end.error?.slice(0, limits.predictionErrorLength) ?? null,
    started_at: isTime(end.started_at) ? end.started_at : null,
    metrics:
      seconds !== undefined && seconds >= 0 && seconds < Number.POSITIVE_INFINITY ? { predict_time: seconds } : {},
  }
}

/** Whether the schema has the output of this event. Others are not passed on to readers. */
export const isKnownOutput = (event: PredictionEvent, { outputs }: DemoSchema): boolean =>
  event.type !== 'output' || outputs.some(({ name }) => name === event.data.field)

const isTime = (text: string | null): boolean => text !== null && text.length <= 40 && !Number.isNaN(Date.parse(text))

interface Fitting {
  readonly output: unknown
  readonly text: string | null
  readonly problem?: string
}

const none = { output: null, text: null }

function outputThatFits(output: unknown, schema: DemoSchema, maxBytes: number): Fitting {
  if (output === null || output === undefined) return none
  const values = outputFields(schema, output)
  const fitting: Record<string, unknown> = {}
  for (const field of schema.outputs) {
    const value = values[field.name] ?? null
    const problem = value === null ? undefined : valueProblem(field, value)
    if (problem) return { ...none, problem: `${problem.field}: ${problem.message}` }
    fitting[field.name] = value
  }
  const value = outputValue(schema, fitting) ?? null
  const text = value === null ? null : JSON.stringify(value)
  if (text !== null && text.length > maxBytes)
    return { ...none, problem: `expected at most ${maxBytes} bytes of text, got ${text.length}` }
  return { output: value, text }
}
