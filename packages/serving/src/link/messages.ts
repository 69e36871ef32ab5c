import { predictionEvent, predictionSnapshot } from '@origami/protocol/demo'
import { z } from 'zod'

/** The value of the header `Upgrade`, with the version of the messages below. */
export const linkProtocol = 'origami-link-1'

/** The bytes of a call's events that may be on the way before its reader has taken them. */
export const windowBytes = 1024 ** 2

/**
 * The largest message of a caller, in bytes. A larger input is sent over HTTP, where it holds up nobody else's.
 */
export const mostBytes = 1024 ** 2

const call = z.int().min(1)

const caller = {
  /** Which demo, where the server has several. */
  demo: z.string().max(64).optional(),
  visitor: z.string().max(200).optional(),
  address: z.string().max(200).optional(),
}

const predict = z.strictObject({
  /** The prediction's id. A prediction that has it already is joined. */
  id: z.string().max(64),
  input: z.unknown(),
  /** Its events from the first on, or its end alone. */
  follow: z.enum(['events', 'end']),
  ...caller,
})
export type Predict = z.infer<typeof predict>

const find = z.strictObject({
  /** The id of a prediction that is there already. */
  id: z.string().max(64),
  /** Its events after this number follow. 0: from the first on. */
  after: z.int().min(0).optional(),
  ...caller,
})
export type Find = z.infer<typeof find>

/** Which demo is asked, and for whom. */
export type Caller = Pick<Predict, keyof typeof caller>

/** From the caller, one key besides the call, which is the caller's own number for what it asks. */
export const callerMessage = z.strictObject({
  call,
  predict: predict.optional(),
  find: find.optional(),
  /** So many bytes of its events were taken, and more may come. */
  taken: z.int().min(1).optional(),
  /** It follows no more. The prediction goes on. */
  leave: z.literal(true).optional(),
})
export type CallerMessage = z.infer<typeof callerMessage>

/** From the server about a call, one key besides it. Keys that are not known are ignored. */
export const serverMessage = z.object({
  call,
  /** The prediction is stored, or was found. */
  accepted: z.literal(true).optional(),
  event: predictionEvent.optional(),
  /** Its end, for who follows nothing else. */
  ended: predictionSnapshot.optional(),
  /** Nothing more comes, though the prediction has not ended. */
  over: z.literal(true).optional(),
  /** The answer that the same request would get over HTTP. */
  refused: z.object({ status: z.int(), body: z.unknown(), retryAfter: z.number().optional() }).optional(),
})
export type ServerMessage = z.infer<typeof serverMessage>
