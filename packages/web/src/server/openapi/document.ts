import { demoOperations } from './demo-operations.ts'
import { type Answer, callers, type Operation, tags } from './operation.ts'
import { ownOperations } from './own-operations.ts'
import { jsonSchemas, queryParameters, ref } from './schemas.ts'

const about = `What the pages of this server and the \`origami\` command use. Programs send a token, made on the account page, as \`Authorization: Bearer ori_…\`.`

/** OpenAPI 3.1 of every route of the web server that is not a page. `url` is where it is reached. */
export function apiDocument(url: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of [...ownOperations, ...demoOperations]) {
    const path = paths[operation.path] ?? { parameters: pathParameters(operation.path) }
    paths[operation.path] = { ...path, [operation.method]: described(operation) }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Origami', description: about, version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: jsonSchemas(), securitySchemes },
  }
}

const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: 'A token of the account page: `ori_…`. It may do what its account may.' },
  session: { type: 'apiKey', in: 'cookie', name: 'origami_session', description: 'What a browser has once it signed in.' },
  csrf: { type: 'apiKey', in: 'header', name: 'x-csrf-token', description: 'With every change by cookie; the session tells it.' },
}

function described(operation: Operation): object {
  const { id, tag, summary, description, who, query, headers = {}, body, example } = operation
  const parameters = [
    ...(query ? queryParameters(query) : []),
    ...Object.entries(headers).map(([name, meaning]) => ({
      name,
      in: 'header',
      description: meaning,
      schema: { type: 'string' },
    })),
  ]
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    'x-origami-who': callers[who],
    ...(example ? { 'x-origami-example': example } : {}),
    security: securityOf(operation),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: bodyOf(body) } } : {}),
    responses: responsesOf(operation),
  }
}

function bodyOf(body: NonNullable<Operation['body']>): object {
  if (body === 'bytes') return { '*/*': { schema: {}, example: 'Hello' } }
  return { 'application/json': { schema: ref(body.schema), example: body.example } }
}

const isOwn = (operation: Operation): boolean => operation.path.startsWith('/-/')
const isChange = (operation: Operation): boolean => operation.method !== 'get'

/** A change of our own API by no account still needs the CSRF token of the visitor: a token stands in for it. */
function securityOf(operation: Operation): object[] {
  if (operation.byCookie === false) return [{}]
  const csrf = isOwn(operation) && isChange(operation)
  const open = operation.who === 'anyone' || operation.who === 'sees'
  const byCookie = { ...(open && csrf ? {} : { session: [] }), ...(csrf ? { csrf: [] } : {}) }
  return [...(open && !csrf ? [{}] : []), { token: [] }, byCookie]
}

function responsesOf(operation: Operation): object {
  const answers: Record<number, Answer> = { ...operation.answers, ...refusalsOf(operation), ...operation.refuses }
  const rest: Answer = {
    what: 'An unknown token (401), too many requests (429), the daemon is away (503), our mistake (500)',
    body: 'Error',
  }
  const entries = [...Object.entries(answers), ['default', rest] as const]
  return Object.fromEntries(entries.map(([status, answer]) => [status, response(answer)]))
}

/** What every operation of its kind refuses. */
function refusalsOf(operation: Operation): Record<number, Answer> {
  const { who, query, body } = operation
  const account = who === 'signedIn' || who === 'deployer'
  const byCookie = isOwn(operation) ? 'You may not, or the CSRF token is missing' : 'A page of another site asks'
  const mayNot = isChange(operation) ? byCookie : 'You may not'
  const refusals: Record<number, Answer | undefined> = {
    401: account ? { what: 'Sign in first, or the token is not known', body: 'Error' } : undefined,
    403:
      (isChange(operation) && operation.byCookie !== false) || who === 'deployer' ? { what: mayNot, body: 'Error' } : undefined,
    404: who === 'sees' || who.endsWith('owner') || who === 'redeployer' ? { what: 'No such demo', body: 'Error' } : undefined,
    422: query || body ? { what: 'That does not fit, and why', body: 'Error' } : undefined,
  }
  return Object.fromEntries(Object.entries(refusals).filter(([, answer]) => answer)) as Record<number, Answer>
}

function response({ what, body }: Answer): object {
  if (!body) return { description: what }
  if (!body.includes('/')) return { description: what, content: { 'application/json': { schema: ref(body) } } }
  return { description: what, content: { [body]: { schema: body.startsWith('text/') ? { type: 'string' } : {} } } }
}

const inPaths: Record<string, { description: string; example: string; schema?: object }> = {
  account: { description: "The owner's handle", example: 'ann' },
  name: { description: "The demo's name", example: 'digits' },
  id: { description: 'As the list has it', example: 'id' },
  prediction_id: {
    description: '8 to 64 of A-Z a-z 0-9 _ -',
    example: 'example-0001',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,64}$' },
  },
  file_id: {
    description: '16 to 64 of A-Z a-z 0-9 _ -',
    example: 'example-file-0001',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{16,64}$' },
  },
  file_name: { description: '1 to 200 characters, none of them a slash', example: 'hello.txt' },
}

function pathParameters(path: string): object[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => {
    const known = inPaths[name]
    if (!known) throw new Error(`no word on the path parameter ${name} of ${path}`)
    return { name, in: 'path', required: true, schema: { type: 'string' }, ...known }
  })
}
