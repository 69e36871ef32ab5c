import { type DemoSchema, inputJsonSchema, outputJsonSchema, predictionStatuses } from '@origami/protocol/demo'

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (name: string) => ({ 'application/json': { schema: ref(name) } })
/** The schemas of the predictions API's 422 and 413: which part of the input is wrong, and why. */
const validationSchemas = {
  ValidationError: {
    type: 'object',
    properties: {
      loc: { type: 'array', items: { type: 'string' } },
      msg: { type: 'string' },
      type: { type: 'string' },
    },
  },
  HTTPValidationError: { type: 'object', properties: { detail: { type: 'array', items: ref('ValidationError') } } },
}
const id = {
  name: 'prediction_id',
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 8, maxLength: 64 },
}

/** The OpenAPI 3.0.2 document of one demo in Cog's layout (pkg/schema/openapi_spec.go), with our own routes. */
export function openApi(schema: DemoSchema, base: string): object {
  const made = {
    '200': { description: 'It ended', content: json('PredictionResponse') },
    '202': { description: 'Stored', content: json('PredictionResponse') },
  }
  const refused = {
    '422': { description: 'The input does not fit', content: json('HTTPValidationError') },
    '429': { description: 'The queue is full' },
  }
  const request = { content: json('PredictionRequest') }
  return {
    openapi: '3.0.2',
    info: { title: schema.title, description: schema.description, version: '1' },
    ...(base === '' ? {} : { servers: [{ url: base }] }),
    paths: {
      '/health-check': {
        get: { summary: 'Whether it takes predictions', responses: { '200': { description: 'Always' } } },
      },
      '/predictions': {
        post: {
          operationId: 'predict_predictions_post',
          'x-cog-streaming': true,
          requestBody: request,
          responses: { ...made, ...refused },
        },
      },
      '/predictions/{prediction_id}': {
        parameters: [id],
        get: {
          summary: 'The prediction as it is now',
          responses: { '200': made['200'], '404': { description: 'None such' } },
        },
        put: {
          summary: 'The same id again joins what is there',
          requestBody: request,
          responses: { ...made, ...refused },
        },
      },
      '/predictions/{prediction_id}/events': {
        parameters: [id],
        get: {
          summary: 'Server-sent events; Last-Event-ID resumes',
          responses: { '200': { description: 'text/event-stream' } },
        },
      },
      '/predictions/{prediction_id}/cancel': {
        parameters: [id],
        post: { responses: { '200': { description: 'Canceled' }, '404': { description: 'None such' } } },
      },
    },
    components: { schemas: schemas(schema) },
  }
}

function schemas(schema: DemoSchema): object {
  const time = { type: 'string', format: 'date-time', nullable: true }
  return {
    Input: inputJsonSchema(schema),
    Output: outputJsonSchema(schema),
    Status: { type: 'string', enum: predictionStatuses, title: 'Status' },
    PredictionRequest: { type: 'object', properties: { id: { type: 'string' }, input: ref('Input') } },
    PredictionResponse: {
      type: 'object',
      properties: {
        id: { type: 'string' },
        status: ref('Status'),
        input: ref('Input'),
        output: ref('Output'),
        error: { type: 'string', nullable: true },
        logs: { type: 'string' },
        metrics: { type: 'object' },
        created_at: time,
        started_at: time,
        completed_at: time,
      },
    },
    ...validationSchemas,
  }
}
