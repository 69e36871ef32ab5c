import type { Operation } from './operation.ts'

const at = '/{account}/{name}'
const predictions = `${at}/predictions`
const prediction = `${predictions}/{prediction_id}`
const file = `${at}/files/{file_id}/{file_name}`
const now = { what: 'As it is now', body: 'Prediction' } as const
const none = { what: 'No such prediction, or no such demo', body: 'Error' } as const

const run = {
  tag: 'Predictions',
  who: 'sees',
  headers: {
    prefer: '`respond-async`: answers 202 at once, and goes on when the caller goes away',
    accept: '`text/event-stream`: answers the events, as they happen',
  },
  body: { schema: 'PredictionRequest', example: { input: {} } },
  answers: {
    200: { what: 'It ended: succeeded, failed or canceled', body: 'Prediction' },
    202: { what: 'It is stored and waits its turn', body: 'Prediction' },
  },
  refuses: {
    413: { what: 'A file is too large', body: 'HTTPValidationError' },
    422: { what: 'The input does not fit, and where', body: 'PredictionRefused' },
    429: { what: 'The queue is full; `retry-after` says when to come again', body: 'Error' },
    503: { what: 'The demo does not serve', body: 'Error' },
  },
} as const satisfies Partial<Operation>

/** The predictions API of every demo. What one demo takes and gives is in its own document. */
export const demoOperations: readonly Operation[] = [
  {
    ...run,
    id: 'predict',
    method: 'post',
    path: predictions,
    summary: 'Runs the demo',
    description: 'A caller who goes away before the answer cancels it.',
  },
  {
    ...run,
    id: 'predictAs',
    method: 'put',
    path: prediction,
    summary: 'Runs the demo under an id of your own; the same id again joins what is there',
  },
  {
    id: 'getPrediction',
    method: 'get',
    path: prediction,
    tag: 'Predictions',
    summary: 'A prediction',
    description: 'Whoever knows its id may read it.',
    who: 'sees',
    answers: { 200: now },
    refuses: { 404: none },
  },
  {
    id: 'followPrediction',
    method: 'get',
    path: `${prediction}/events`,
    tag: 'Predictions',
    summary: 'What happens to a prediction, from its start',
    who: 'sees',
    headers: { 'last-event-id': 'The number of the last event seen: goes on after it' },
    answers: {
      200: {
        what: 'Server-sent events: `queue`, `start`, `progress`, `log`, `output`, `completed`; all but `queue` are numbered',
        body: 'text/event-stream',
      },
    },
    refuses: { 404: none },
  },
  {
    id: 'cancelPrediction',
    method: 'post',
    path: `${prediction}/cancel`,
    tag: 'Predictions',
    summary: 'Cancels a prediction of yours',
    description: "The demo's owner may cancel every one.",
    who: 'sees',
    answers: { 200: { what: 'It is being cancelled', body: 'Done' } },
    refuses: { 404: { what: 'Nothing of yours to cancel', body: 'Done' } },
  },
  {
    id: 'putFile',
    method: 'put',
    path: file,
    tag: 'Predictions',
    summary: 'Stores bytes for an input, under an id of your own',
    who: 'sees',
    body: 'bytes',
    answers: { 201: { what: 'It is stored', body: 'StoredFile' } },
    refuses: {
      413: { what: 'It is too large', body: 'HTTPValidationError' },
      422: { what: 'That cannot be an id or a name', body: 'HTTPValidationError' },
    },
  },
  {
    id: 'getFile',
    method: 'get',
    path: file,
    tag: 'Predictions',
    summary: 'A file, given or made',
    who: 'sees',
    headers: { range: 'One range of bytes, answered with 206' },
    answers: { 200: { what: 'Its bytes, in its own media type', body: 'application/octet-stream' } },
    refuses: { 404: { what: 'No such file', body: 'Error' }, 416: { what: 'The range is outside of it' } },
  },
  {
    id: 'getSchema',
    method: 'get',
    path: `${at}/schema`,
    tag: 'Predictions',
    summary: "The demo's inputs, outputs and examples",
    who: 'sees',
    answers: { 200: { what: 'The schema', body: 'DemoSchema' } },
    refuses: { 503: { what: 'The demo does not serve', body: 'Error' } },
  },
  {
    id: 'getHealth',
    method: 'get',
    path: `${at}/health-check`,
    tag: 'Predictions',
    summary: 'Whether the demo takes predictions',
    who: 'sees',
    answers: { 200: { what: 'Always', body: 'Health' } },
  },
  {
    id: 'getDemoDocument',
    method: 'get',
    path: `${at}/openapi.json`,
    tag: 'Documents',
    summary: "One demo's own API, with its inputs and outputs, as OpenAPI",
    who: 'sees',
    answers: { 200: { what: 'The document', body: 'application/json' } },
  },
  {
    id: 'getDemoIndex',
    method: 'get',
    path: at,
    tag: 'Documents',
    summary: "Where a demo's API is; to a browser, its page",
    who: 'sees',
    answers: { 200: { what: 'Addresses under this one', body: 'ApiIndex' } },
  },
]
