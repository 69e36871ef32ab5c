import { z } from 'zod'
import { health } from '../demo/health.ts'
import { predictionSnapshot } from '../demo/prediction.ts'
import { demoSchema } from '../demo/schema.ts'
import type { Endpoints } from './endpoint.ts'
import { errorBody } from './routes.ts'
import type { WebEndpoint } from './web-endpoints.ts'

const text = z.string()
const stringParam = (description: string, example: string, pattern?: string) =>
  z
    .string()
    .describe(description)
    .meta({ example, ...(pattern ? { pattern } : {}) })

const predictionParams = z.object({
  id: stringParam('8 to 64 of A-Z a-z 0-9 _ -', 'example-0001', '^[A-Za-z0-9_-]{8,64}$'),
})
const fileParams = z.object({
  file_id: stringParam('16 to 64 of A-Z a-z 0-9 _ -', 'example-file-0001', '^[A-Za-z0-9_-]{16,64}$'),
  file_name: stringParam('1 to 200 characters, none of them a slash', 'hello.txt'),
})

const problem = z.object({ loc: z.array(text), msg: text, type: text }).meta({ id: 'ValidationError' })
const misfit = z.object({ detail: z.array(problem) }).meta({ id: 'HTTPValidationError' })
const snapshot = predictionSnapshot.meta({ id: 'PredictionSnapshot' })
const prediction = snapshot
  .extend({ urls: z.object({ get: text, cancel: text, events: text }) })
  .meta({ id: 'Prediction' })
const request = z
  .looseObject({
    id: text.optional().describe('One of your own: 8 to 64 of A-Z a-z 0-9 _ -'),
    input: z.record(text, z.unknown()).optional().describe("By the names of the demo's inputs"),
  })
  .meta({ id: 'PredictionRequest' })
const storedFile = z
  .object({ ref: text.describe('Goes into an input'), name: text, type: text, size: z.int() })
  .meta({ id: 'StoredFile' })
const nothing = z.object({})

const none = { what: 'No such prediction, or no such demo', body: errorBody } as const
const away = { what: 'The demo does not serve', body: errorBody } as const

const run = {
  tag: 'Predictions',
  who: 'sees',
  scope: 'run',
  audited: false,
  headers: {
    prefer: '`respond-async`: answers 202 at once, and goes on when the caller goes away',
    accept: '`text/event-stream`: answers the events, as they happen',
  },
  body: request,
  sends: { input: {} },
  answers: {
    200: { what: 'It ended: succeeded, failed or canceled', body: prediction },
    202: { what: 'It is stored and waits its turn', body: prediction },
  },
  refuses: {
    413: { what: 'The body is too large, or a file in it', body: z.union([misfit, errorBody]) },
    422: { what: 'The input does not fit, and where', body: z.union([misfit, errorBody]) },
    429: { what: 'The queue is full; `retry-after` says when to come again', body: errorBody },
    503: away,
  },
} as const satisfies Partial<WebEndpoint>

/**
 * The predictions API of every demo, under the demo's address. The inputs and outputs of one demo are in its own
 * document. These rows only describe the routes: as they answer like Cog, they validate requests themselves.
 */
export const predictionEndpoints = {
  'POST /predictions': {
    ...run,
    id: 'predict',
    summary: 'Runs the demo',
    description: 'A caller who goes away before the answer cancels it.',
  },
  'PUT /predictions/:id': {
    ...run,
    id: 'predictAs',
    params: predictionParams,
    summary: 'Runs the demo under an id of your own; the same id again joins what is there',
  },
  'GET /predictions/:id': {
    id: 'getPrediction',
    tag: 'Predictions',
    summary: 'A prediction',
    description: 'Whoever knows its id may read it.',
    who: 'sees',
    scope: 'run',
    params: predictionParams,
    answers: { 200: { what: 'As it is now', body: prediction } },
    refuses: { 404: none },
  },
  'GET /predictions/:id/events': {
    id: 'followPrediction',
    tag: 'Predictions',
    summary: 'What happens to a prediction, from its start',
    who: 'sees',
    scope: 'run',
    params: predictionParams,
    headers: { 'last-event-id': 'The number of the last event seen: goes on after it' },
    answers: {
      200: {
        what: 'Server-sent events: `queue`, `start`, `progress`, `log`, `output`, `completed`; all but `queue` are numbered',
        body: 'text/event-stream',
      },
    },
    refuses: { 404: none },
  },
  'POST /predictions/:id/cancel': {
    id: 'cancelPrediction',
    tag: 'Predictions',
    summary: 'Cancels a prediction of yours',
    description:
      "One that was made with a cookie or a token is canceled by the same caller, one made without by whoever has its id. The demo's owner may cancel every one.",
    who: 'sees',
    scope: 'run',
    audited: false,
    params: predictionParams,
    answers: { 200: { what: 'It is being canceled', body: nothing } },
    refuses: { 404: { what: 'Nothing of yours to cancel', body: nothing } },
  },
  'PUT /files/:file_id/:file_name': {
    id: 'putFile',
    tag: 'Predictions',
    summary: 'Stores bytes for an input, under an id of your own',
    who: 'sees',
    scope: 'run',
    audited: false,
    params: fileParams,
    body: z.any(),
    bytes: true,
    sends: 'Hello',
    answers: { 201: { what: 'It is stored', body: storedFile } },
    refuses: {
      413: { what: 'It is too large', body: misfit },
      422: { what: 'That cannot be an id or a name', body: misfit },
    },
  },
  'GET /files/:file_id/:file_name': {
    id: 'getFile',
    tag: 'Predictions',
    summary: 'A file, given or made',
    who: 'sees',
    scope: 'run',
    params: fileParams,
    headers: { range: 'One range of bytes, answered with 206' },
    answers: {
      200: { what: 'Its bytes, in its own media type', body: 'application/octet-stream' },
      206: { what: 'The bytes of that range', body: 'application/octet-stream' },
    },
    refuses: {
      404: { what: 'No such file', body: errorBody },
      416: { what: 'The range is outside of it', body: errorBody },
    },
  },
  'GET /schema': {
    id: 'getSchema',
    tag: 'Predictions',
    summary: "The demo's inputs, outputs and examples",
    who: 'sees',
    scope: 'any',
    headers: { 'if-none-match': 'The `etag` of an answer before: 304 where nothing changed since' },
    answers: { 200: { what: 'The schema', body: demoSchema.meta({ id: 'DemoSchema' }) } },
    refuses: { 304: { what: 'Nothing changed since' }, 503: away },
  },
  'GET /health-check': {
    id: 'getHealth',
    tag: 'Predictions',
    summary: 'Whether the demo takes predictions',
    who: 'sees',
    scope: 'any',
    answers: { 200: { what: 'Always', body: health.meta({ id: 'Health' }) } },
  },
  'GET /openapi.json': {
    id: 'getDemoDocument',
    tag: 'Documents',
    summary: "One demo's own API, with its inputs and outputs, as OpenAPI",
    who: 'sees',
    scope: 'any',
    answers: { 200: { what: 'The document', body: z.looseObject({}) } },
  },
} as const satisfies Endpoints<WebEndpoint>
export type PredictionApi = typeof predictionEndpoints

/** The answer at the address of a demo itself. */
export const demoIndexEndpoint: WebEndpoint = {
  id: 'getDemoIndex',
  tag: 'Documents',
  summary: "Where a demo's API is; to a browser, its page",
  who: 'sees',
  scope: 'any',
  answers: {
    200: {
      what: 'Addresses under this one',
      body: z
        .object({ origami: z.object({ api: z.int() }) })
        .catchall(text)
        .meta({ id: 'ApiIndex' }),
    },
  },
}
