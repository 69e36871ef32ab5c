import {
  type DemoSchema,
  Gone,
  isNameless,
  isPredictionId,
  newPredictionId,
  type PredictionId,
  shown,
  type VisitorId,
} from '@origami/protocol/demo'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sendError } from '../../http/errors.ts'
import { type InputOptions, isObject, submitInput, unfit } from '../../http/submit.ts'
import { sendTagged } from '../../http/tagged.ts'
import type { Prediction, Predictor } from '../../predictor.ts'
import { answerEvents, answerInEvents, answerWhenDone } from './answers.ts'
import { fileRoutes } from './file-routes.ts'
import { openApi } from './openapi.ts'
import { presentSnapshot } from './present.ts'

export interface PredictionsApiOptions extends InputOptions {
  /** The predictor that answers a request. Undefined: 404. */
  predictor(request: FastifyRequest): Predictor | undefined | Promise<Predictor | undefined>
  /** The prefix of file references in answers (`https://lab/ann/digits`). Without it they stay `files/<id>/<name>`. */
  publicBase?: (request: FastifyRequest) => string
  visitor?: (request: FastifyRequest) => VisitorId | undefined
  /** Answers `GET /predictions/{id}` to a browser. */
  html?: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
  /** The longest time without more of a file from its sender. The default is 30 s. Called for each file. */
  fileIdleMs?(): number
  /** The longest time for a whole file. The default is half an hour. Called for each file. */
  fileMs?(): number
  /** How long a reader of an event stream may take nothing. The default is a minute. Called for each reader. */
  slowReaderMs?(): number
}

interface Body {
  id?: unknown
  input?: unknown
}

/**
 * The predictions API of one demo, or of many under a prefix with parameters: Cog's HTTP API and more, for any
 * Predictor. Source: Cog 0.22, docs/http.md. docs/api.md lists the differences.
 */
export async function predictionsApi(app: FastifyInstance, options: PredictionsApiOptions): Promise<void> {
  const base = (request: FastifyRequest) => baseOf(options, request)
  const predictor = (request: FastifyRequest) => predictorOf(options, request)
  app.setErrorHandler(sendError)
  await app.register(fileRoutes, {
    files: async (request) => (await predictor(request)).files,
    base,
    maxFileBytes: options.maxFileBytes,
    idleMs: () => options.fileIdleMs?.() ?? 30_000,
    totalMs: () => options.fileMs?.() ?? 30 * 60_000,
  })

  app.get('/schema', async (request, reply) => sendTagged(request, reply, await (await predictor(request)).schema()))
  app.get('/health-check', async (request) => (await predictor(request)).health())
  app.get('/openapi.json', async (request) => openApi(await (await predictor(request)).schema(), base(request)))

  app.post<{ Body: Body | null }>('/predictions', async (request, reply) =>
    predict(options, request, reply, request.body?.id),
  )
  app.put<{ Params: { id: string }; Body: Body | null }>('/predictions/:id', async (request, reply) => {
    const { id } = request.body ?? {}
    if (id === undefined || id === request.params.id) return predict(options, request, reply, request.params.id)
    const problem = {
      loc: ['body', 'id'],
      msg: 'prediction ID must match the ID supplied in the URL',
      type: 'value_error',
    }
    return reply.status(422).send({ detail: [problem] })
  })

  app.get<{ Params: { id: string } }>('/predictions/:id', async (request, reply) => {
    if (options.html && prefersHtml(request)) return options.html(request, reply)
    const { prediction, schema } = await found(options, request)
    return presentSnapshot(await prediction.snapshot(), schema, base(request))
  })
  app.get<{ Params: { id: string } }>('/predictions/:id/events', async (request, reply) => {
    const { prediction, schema } = await found(options, request)
    await answerEvents(
      { reply, prediction, schema, base: base(request), slowReaderMs: options.slowReaderMs?.() },
      lastSeen(request),
    )
  })
  app.post<{ Params: { id: string } }>('/predictions/:id/cancel', async (request, reply) => {
    const prediction = await findPrediction(await predictor(request), request.params.id)
    const allowed = prediction && mayCancel(options.visitor?.(request), prediction)
    const canceled = allowed ? await prediction.cancel() : false
    return reply.status(canceled ? 200 : 404).send({})
  })
}

/** The prefix of file references in answers. */
const baseOf = ({ publicBase }: PredictionsApiOptions, request: FastifyRequest): string => publicBase?.(request) ?? ''

/**
 * Makes a prediction, or joins the one of this id, and answers as the caller prefers: at its end, at once, or with its
 * events.
 */
async function predict(
  options: PredictionsApiOptions,
  request: FastifyRequest<{ Body: Body | null }>,
  reply: FastifyReply,
  requestedId: unknown,
): Promise<unknown> {
  const { body } = request
  if (body !== null && body !== undefined && !isObject(body))
    throw unfit(`expected a body such as {"input": {…}}, got ${shown(body)}`)
  const id = predictionId(requestedId)
  const predictor = await predictorOf(options, request)
  const schema = await predictor.schema()
  const before = requestedId === undefined ? undefined : await predictor.find(id)
  const base = baseOf(options, request)
  const isFollowed = request.headers.accept?.includes('text/event-stream')
  const isAsync = !isFollowed && asksAtOnce(request)
  const submitted = {
    id,
    input: body?.input ?? {},
    visitor: options.visitor?.(request),
    follow: isFollowed ? ('events' as const) : isAsync ? undefined : ('end' as const),
    base,
  }
  const prediction = before ?? (await submitInput(predictor, schema, submitted, options, () => leavingOf(reply)))
  const context = {
    reply,
    prediction,
    schema,
    base,
    made: before === undefined,
    slowReaderMs: options.slowReaderMs?.(),
  }
  if (isFollowed) return answerInEvents(context)
  if (before || isAsync) return accepted(context)
  return answerWhenDone(context)
}

async function accepted({
  reply,
  prediction,
  schema,
  base: address,
}: {
  reply: FastifyReply
  prediction: Prediction
  schema: DemoSchema
  base: string
}) {
  const snapshot = await prediction.snapshot()
  return reply.status(snapshot.completed_at ? 200 : 202).send(presentSnapshot(snapshot, schema, address))
}

async function predictorOf(options: PredictionsApiOptions, request: FastifyRequest): Promise<Predictor> {
  const predictor = await options.predictor(request)
  if (!predictor) throw Object.assign(new Error('There is no such demo.'), { statusCode: 404 })
  return predictor
}

async function found(options: PredictionsApiOptions, request: FastifyRequest<{ Params: { id: string } }>) {
  const predictor = await predictorOf(options, request)
  const prediction = await findPrediction(predictor, request.params.id)
  if (!prediction) throw Object.assign(new Error('There is no such prediction (any more).'), { statusCode: 404 })
  const schema = await predictor.schema().catch(unlessGone)
  return { prediction, schema }
}

/** One that was made without a cookie or a token is canceled by whoever holds its id, which only its maker was told. */
function mayCancel(visitor: VisitorId | undefined, { visitor: maker }: Prediction): boolean {
  return visitor === undefined || maker === undefined || maker === visitor || isNameless(maker)
}

/**
 * The number of the last event that the caller has seen. 0, which means from the start, for a value that is no number.
 */
function lastSeen(request: FastifyRequest): number {
  const said = request.headers['last-event-id']
  return typeof said === 'string' && /^\d{1,15}$/.test(said) ? Number(said) : 0
}

async function findPrediction(predictor: Predictor, id: string): Promise<Prediction | undefined> {
  return isPredictionId(id) ? predictor.find(id) : undefined
}

/** A signal that aborts when the caller has left. */
function leavingOf(reply: FastifyReply): AbortSignal {
  const leaving = new AbortController()
  if (reply.raw.destroyed) leaving.abort(new Error('who asked has left'))
  // Every answer closes; only one that was not sent is a caller who left.
  reply.raw.once('close', () => reply.raw.writableFinished || leaving.abort(new Error('who asked has left')))
  return leaving.signal
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof Gone)) throw error
}

function predictionId(requestedId: unknown): PredictionId {
  if (requestedId === undefined) return newPredictionId()
  if (typeof requestedId === 'string' && isPredictionId(requestedId)) return requestedId
  throw Object.assign(new Error(`expected an id of 8 to 64 of A-Z a-z 0-9 _ -, got ${shown(requestedId)}`), {
    statusCode: 422,
  })
}

/** Whether the preferences include `respond-async` (RFC 7240, 2). */
function asksAtOnce({ headers }: FastifyRequest): boolean {
  if (headers.prefer === undefined) return false
  const preferences = [headers.prefer].flat().join(',').split(',')
  return preferences.some((one) => one.split(';')[0]?.trim().toLowerCase() === 'respond-async')
}

/** Whether the caller is a browser that shows a page, rather than a program. */
export const prefersHtml = (request: FastifyRequest): boolean => request.headers.accept?.includes('text/html') ?? false
