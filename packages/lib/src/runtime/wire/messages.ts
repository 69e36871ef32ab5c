import { demoSchema, type Input } from '@origami/protocol/demo'
import { z } from 'zod'

/**
 * A message from the runtime to a worker. The worker exits when the stream ends. `outbox` is a folder for files. It
 * is empty for a demo whose outputs are none. `ahead`: it was written while its worker had no slot for it, so it waits
 * there. One that is canceled before it has begun is answered with `canceled` and never begins.
 */
export type ToWorker =
  | { type: 'predict'; id: string; input: Input; outbox: string; ahead?: true }
  | { type: 'cancel'; id: string }

/** A demo as its worker describes it. It has no title when neither the model nor its file name gives one. */
export const describedDemo = demoSchema.extend({ title: demoSchema.shape.title.optional() })
export type DescribedDemo = z.infer<typeof describedDemo>

const id = z.string().max(100)
/** Whether the end mark of the call comes on the terminals. Without it all that it printed was read before. */
const marked = z.boolean().default(true)
const source = z.enum(['stdout', 'stderr'])
const note = z
  .string()
  .transform((text) => text.slice(0, 500))
  .nullable()
  .default(null)

/** A message from a worker, in Node or Python. Files are paths. */
export const fromWorker = z.discriminatedUnion('type', [
  /** Parsed separately, so that the error message is one that an author understands. */
  z.object({ type: z.literal('schema'), schema: z.unknown() }),
  /** `slots`: how many predictions it takes at once. With more than one, their output comes as `log` messages. */
  z.object({
    type: z.literal('ready'),
    slots: z.int().min(1).max(64).default(1),
    /**
     * How many more may be written to it, which wait in it. They begin in their order, each when another ended. With
     * one slot the end mark of the one before stands before what each prints that may be read before that end is heard.
     */
    ahead: z.int().min(0).max(8).default(0),
  }),
  z.object({ type: z.literal('setup_failed'), error: z.string(), traceback: z.string() }),
  z.object({ type: z.literal('progress'), id, done: z.number(), total: z.number().nullable().default(null), note }),
  z.object({ type: z.literal('log'), id, source, text: z.string() }),
  z.object({
    type: z.literal('output'),
    id,
    field: z.string(),
    mode: z.enum(['append', 'replace']),
    chunk: z.unknown(),
  }),
  z.object({ type: z.literal('done'), id, output: z.record(z.string(), z.unknown()), marked }),
  z.object({ type: z.literal('failed'), id, error: z.string(), traceback: z.string(), marked }),
  z.object({ type: z.literal('canceled'), id, marked }),
])
export type WorkerMessage = z.infer<typeof fromWorker>

type Done = Extract<WorkerMessage, { type: 'done' }>
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Parses a JSON value as a message from a worker. Most are whole ends, for which the schemas would cost more than the
 * rest of a short prediction.
 */
export function parseFromWorker(value: unknown): z.ZodSafeParseResult<WorkerMessage> {
  return isDone(value)
    ? { success: true, data: { type: 'done', id: value.id, output: value.output, marked: value.marked } }
    : fromWorker.safeParse(value)
}

function isDone(value: unknown): value is Done {
  if (!isRecord(value) || value.type !== 'done') return false
  const { id: name, output, marked: isMarked } = value
  const isKnown = typeof name === 'string' && name.length <= 100 && typeof isMarked === 'boolean'
  return isKnown && isRecord(output) && !Object.hasOwn(output, '__proto__')
}

/** The type of the messages that our own worker sends, with the description typed. */
export type FromWorker =
  | Exclude<z.input<typeof fromWorker>, { type: 'schema' }>
  | { type: 'schema'; schema: z.input<typeof describedDemo> }

/** A file in a message, of an input or of an output, whose name and type may be left out. */
export const fileOnWire = z.object({
  path: z.string().min(1).max(4096),
  name: z.string().optional(),
  type: z.string().optional(),
})
export type FileOnWire = z.infer<typeof fileOnWire>

/** The line that is written to both terminals when everything of `id` was printed. The id of the setup is `setup`. */
export const endMark = (id: string): string => `\u001e${id}\n`
