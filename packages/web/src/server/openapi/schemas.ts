import {
  accountDemos,
  accountInfo,
  authorizeFirst,
  demoCard,
  demoChange,
  demoDetail,
  demoList,
  demoPage,
  deployment,
  deviceAnswer,
  deviceAsking,
  deviceBegun,
  deviceRefused,
  deviceSignedIn,
  deviceToken,
  elsewhereInspection,
  elsewhereUrl,
  errorBody,
  inspection,
  madeToken,
  newDemo,
  newDevice,
  newElsewhere,
  newToken,
  ownerSecret,
  queueEmptied,
  queueEntry,
  queueView,
  repository,
  repositoryLink,
  repositoryList,
  results,
  session,
  tokenInfo,
  tokenList,
} from '@origami/protocol/control'
import { demoSchema, fieldSchema, health, predictionSnapshot } from '@origami/protocol/demo'
import { validationSchemas } from '@origami/serving'
import { z } from 'zod'

const text = z.string()

const bodies = {
  Session: session,
  Account: accountInfo,
  OwnerSecret: ownerSecret,
  Tokens: tokenList,
  Token: tokenInfo,
  NewToken: newToken,
  MadeToken: madeToken,
  NewDevice: newDevice,
  DeviceBegun: deviceBegun,
  DeviceToken: deviceToken,
  DeviceSignedIn: deviceSignedIn,
  DeviceRefused: deviceRefused,
  DeviceAsking: deviceAsking,
  DeviceAnswer: deviceAnswer,
  Demos: demoList,
  AccountDemos: accountDemos,
  DemoCard: demoCard,
  DemoPage: demoPage,
  DemoDetail: demoDetail,
  Deployment: deployment,
  NewDemo: newDemo,
  NewElsewhere: newElsewhere,
  DemoChange: demoChange,
  Link: repositoryLink,
  Queue: queueView,
  QueueEntry: queueEntry,
  QueueEmptied: queueEmptied,
  Inspection: inspection,
  ElsewhereUrl: elsewhereUrl,
  ElsewhereInspection: elsewhereInspection,
  Repositories: repositoryList,
  Repository: repository,
  Results: results,
  DemoSchema: demoSchema,
  Field: fieldSchema,
  ApiIndex: z.object({ origami: z.object({ api: z.int() }) }).catchall(text),
  Health: health,
  PredictionRequest: z.looseObject({
    id: text.optional().describe('One of your own: 8 to 64 of A-Z a-z 0-9 _ -'),
    input: z.record(text, z.unknown()).optional().describe("By the names of the demo's inputs"),
  }),
  PredictionSnapshot: predictionSnapshot,
  Prediction: predictionSnapshot.extend({ urls: z.object({ get: text, cancel: text, events: text }) }),
  StoredFile: z.object({ ref: text.describe('Goes into an input'), name: text, type: text, size: z.int() }),
  Done: z.object({}),
  Error: errorBody,
  AuthorizeFirst: authorizeFirst,
}

const written = {
  ...validationSchemas,
  /** Of an input that does not fit, and of an id that is none. */
  PredictionRefused: { anyOf: [ref('HTTPValidationError'), ref('Error')] },
  /** A repository, or a demo that runs elsewhere. */
  Place: { anyOf: [ref('Link'), ref('ElsewhereUrl')] },
  Found: { anyOf: [ref('Inspection'), ref('ElsewhereInspection')] },
  AnyNewDemo: { anyOf: [ref('NewDemo'), ref('NewElsewhere')] },
}

export type SchemaName = keyof typeof bodies | keyof typeof written

/** The JSON schema of everything that is sent or answered, by name; they refer to each other under `#/components/schemas/`. */
export function jsonSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>()
  for (const [id, body] of Object.entries(bodies)) registry.add(body, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => ref(id).$ref, unrepresentable: 'any', override: withoutBounds })
  const named = Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema])
  return { ...Object.fromEntries(named), ...written }
}

export function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}

/** The parameters of a query, as OpenAPI has them. */
export function queryParameters(query: z.ZodObject): object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input', override: withoutBounds })
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as { description?: string }
    return { name, in: 'query', required: false, ...(description ? { description } : {}), schema }
  })
}

/** That an integer fits a double needs no saying. */
function withoutBounds({ jsonSchema }: { jsonSchema: { minimum?: number; maximum?: number } }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
