import { type ServerEvent, sendEvents } from '@origami/host/send-events'
import type { DemoSchema, PredictionSnapshot } from '@origami/protocol/demo'
import type { FastifyReply } from 'fastify'
import type { Prediction } from '../../predictor.ts'
import { presentEvent, presentSnapshot } from './present.ts'

interface Asked {
  readonly reply: FastifyReply
  readonly prediction: Prediction
  readonly schema: DemoSchema | undefined
  readonly base: string
  /** How long a reader of events may take nothing. The default is a minute. */
  readonly slowReaderMs: number | undefined
  /** Whether this request made the prediction, which then ends with the request. */
  readonly made: boolean
}

/**
 * Answers synchronously: 200 once the prediction ended, however it ended. A caller who leaves cancels what they made.
 */
export async function answerWhenDone(asked: Asked): Promise<unknown> {
  const { reply, prediction, schema, base, made } = asked
  if (prediction.ended) return reply.send(presentSnapshot(await endOf(asked, prediction.ended()), schema, base))
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  for await (const event of prediction.events(0, gone.signal))
    if (event.type === 'completed') return reply.send(presentSnapshot(event.data, schema, base))
  if (gone.signal.aborted && made) await prediction.cancel()
  return reply.send(presentSnapshot(await prediction.snapshot(), schema, base))
}

function endOf({ reply, prediction, made }: Asked, ended: Promise<PredictionSnapshot>): Promise<PredictionSnapshot> {
  const cancel = () =>
    prediction.cancel().catch((error: unknown) => reply.log.error(error, 'who asked left, and it was not canceled'))
  if (made && reply.raw.destroyed) void cancel()
  else if (made) reply.raw.once('close', () => reply.raw.writableFinished || void cancel())
  return ended
}

/** Answers the request with the events. A caller who leaves cancels what they made. */
export async function answerInEvents(asked: Asked): Promise<void> {
  const ended = await answerEvents(asked, 0)
  if (!ended && asked.made) await asked.prediction.cancel()
}

/** Sends the events after number `after`. True: the prediction ended, and the reader got the end. */
export async function answerEvents(
  { reply, prediction, schema, base, slowReaderMs }: Omit<Asked, 'made'>,
  after: number,
): Promise<boolean> {
  let ended = false
  const events = async function* (signal: AbortSignal): AsyncIterable<ServerEvent> {
    for await (const event of prediction.events(after, signal)) {
      const { type, data } = presentEvent(event, schema, base)
      yield { event: type, data, ...('seq' in event ? { id: event.seq } : {}) }
      ended = type === 'completed'
    }
  }
  await sendEvents(reply, events, undefined, slowReaderMs)
  return ended
}
