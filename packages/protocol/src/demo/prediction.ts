import { z } from 'zod'
import type { PredictionEvent } from './events.ts'
import { predictionStatuses } from './prediction-status.ts'

/**
 * Why a prediction failed. `error`: the model raised · `crashed`: its worker died · `timeout`: it ignored a cancel or
 * its deadline · `invalid`: the schema changed while it waited · `interrupted`: its instance or daemon went away while
 * it ran · `stopped`: the demo was stopped.
 */
const failureReasons = ['error', 'crashed', 'timeout', 'invalid', 'interrupted', 'stopped'] as const
export type FailureReason = (typeof failureReasons)[number]

/** A prediction as JSON, the answer of `GET /predictions/{id}`: a superset of Cog's. Times are ISO 8601 in UTC. */
export const predictionSnapshot = z.object({
  id: z.string(),
  status: z.enum(predictionStatuses),
  input: z.record(z.string(), z.unknown()),
  output: z
    .unknown()
    .describe('What there is so far: the bare value of a demo with one output, else an object by field name'),
  error: z.string().nullable(),
  reason: z.enum(failureReasons).nullable(),
  logs: z.string().describe('The end of what it printed, at most 64 KiB'),
  metrics: z.object({
    predict_time: z.number().optional().describe('Seconds of running, once it ended'),
  }),
  created_at: z.string(),
  started_at: z.string().nullable(),
  completed_at: z.string().nullable(),
  deployment: z.string().nullable(),
  commit: z.string().nullable(),
  queue: z
    .object({ position: z.int(), eta: z.number().nullable() })
    .nullable()
    .describe('While it waits: its place (1 is next) and seconds until it starts, null where nobody can know'),
})
export type PredictionSnapshot = z.infer<typeof predictionSnapshot>

/** A place in the queue (1 is next), and the seconds until the prediction starts, null when nothing is known. */
const queuePlace = z.object({ position: z.int(), eta: z.number().nullable() })
const numbered = { seq: z.int().min(1) }
/**
 * The snapshot of an end. A status that is no end is refused here, because its reader would wait for another end for
 * ever.
 */
const endSnapshot = predictionSnapshot.extend({ status: z.enum(['succeeded', 'failed', 'canceled']) })

/** Parses an event that another server sent. */
export const predictionEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('queue'), data: queuePlace }),
  z.object({
    ...numbered,
    type: z.literal('start'),
    data: z.object({ id: z.string().max(64), status: z.literal('processing') }),
  }),
  z.object({
    ...numbered,
    type: z.literal('progress'),
    data: z.object({
      done: z.number(),
      total: z.number().nullable(),
      note: z
        .string()
        // The text is copied by `join`, because a slice would keep the whole text, which may have megabytes, in memory.
        .transform((note) => [...note.slice(0, 500)].join(''))
        .nullable(),
    }),
  }),
  z.object({
    ...numbered,
    type: z.literal('log'),
    data: z.object({ source: z.enum(['stdout', 'stderr']), data: z.string() }),
  }),
  z.object({
    ...numbered,
    type: z.literal('output'),
    data: z.object({
      field: z.string().max(200),
      mode: z.enum(['append', 'replace']),
      chunk: z.unknown(),
      index: z.int().min(0),
    }),
  }),
  z.object({ ...numbered, type: z.literal('completed'), data: endSnapshot }),
]) satisfies z.ZodType<PredictionEvent>
