import { type DemoSchema, newPredictionId } from '@origami/protocol/demo'
import type { HttpPredictor } from '@origami/serving'
import { type BundledOptions, BundledRuntime } from './bundled-runtime.ts'

export interface TryOptions extends Omit<BundledOptions, 'graceMs'> {
  /** The time limit for the start and the first example. */
  readonly withinMs?: number
  readonly graceMs?: number
}

/**
 * Starts a bundle, runs its first example and passes on what it prints. Returns its schema. Throws Error with what the
 * model reported.
 */
export async function runFirstExample(
  { withinMs = 5 * 60_000, graceMs = 5000, ...options }: TryOptions,
  signal: AbortSignal,
): Promise<DemoSchema> {
  await using runtime = await BundledRuntime.start({ ...options, graceMs })
  const deadline = AbortSignal.timeout(withinMs)
  let late = 'it was not ready'
  try {
    const within = AbortSignal.any([signal, deadline, runtime.died])
    const predictor = await runtime.ready(within)
    late = 'its first example did not end'
    return await answerOf(predictor, options.onLog, within)
  } catch (error) {
    if (runtime.died.aborted) throw runtime.died.reason
    if (deadline.aborted)
      throw new Error(`${late} within ${withinMs / 60_000} min; it printed last:\n${runtime.printed}`)
    throw error
  }
}

async function answerOf(
  predictor: HttpPredictor,
  onLog: (line: string) => void,
  within: AbortSignal,
): Promise<DemoSchema> {
  const schema = await predictor.schema(within)
  const [example] = schema.examples
  if (!example) {
    onLog('the model loads; it has no example to run')
    return schema
  }
  onLog(`running the first example: ${JSON.stringify(example).slice(0, 200)}`)
  const prediction = await predictor.submit({ id: newPredictionId(), input: example }, within)
  for await (const event of prediction.events(0, within)) if (event.type === 'completed') break
  const end = await prediction.snapshot(within)
  if (end.status !== 'succeeded') throw new Error(`the first example ${end.status}: ${end.error}\n${end.logs}`)
  onLog(`it answers: ${JSON.stringify(end.output).slice(0, 200)}`)
  return schema
}
