import { type ServerEvent, sendEvents } from '@origami/host/send-events'
import type { DemoSchema } from '@origami/protocol/demo'
import type { FastifyReply } from 'fastify'
import type { Prediction } from '../predictor.ts'
import { presentEvent, presentSnapshot } from './present.ts'

interface Asked {
  readonly reply: FastifyReply
  readonly prediction: Prediction
  readonly schema: DemoSchema | undefined
  readonly base: string
  /** Whether this very request made the prediction: then it ends with it. */
  readonly made: boolean
}

/** The synchronous answer: 200 once it ended, however it ended. A caller who goes away cancels what they made. */
export async function answerWhenDone({ reply, prediction, schema, base, made }: Asked): Promise<unknown> {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  for await (const event of prediction.events(0, gone.signal))
    if (event.type === 'completed') return reply.send(presentSnapshot(event.data, schema, base))
  if (gone.signal.aborted && made) await prediction.cancel()
  return reply.send(presentSnapshot(await prediction.snapshot(), schema, base))
}

/** The events on the request itself. A caller who goes away cancels what they made. */
export async function answerInEvents({ reply, prediction, schema, base, made }: Asked): Promise<void> {
  const ended = await answerEvents(reply, prediction, schema, base, 0)
  if (!ended && made) await prediction.cancel()
}

/** The events after number `after`. True: it ended, and the reader saw it. */
export async function answerEvents(
  reply: FastifyReply,
  prediction: Prediction,
  schema: DemoSchema | undefined,
  base: string,
  after: number,
): Promise<boolean> {
  let ended = false
  await sendEvents(reply, async function* (signal): AsyncIterable<ServerEvent> {
    for await (const event of prediction.events(after, signal)) {
      const { type, data } = presentEvent(event, schema, base)
      yield { event: type, data, ...('seq' in event ? { id: event.seq } : {}) }
      ended = type === 'completed'
    }
  })
  return ended
}
