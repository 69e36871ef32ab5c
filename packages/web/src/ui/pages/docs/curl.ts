import type { Operation, Schema } from './api-document.ts'

/** The demo that the examples use. */
export interface ExampleDemo {
  readonly account: string
  readonly name: string
  readonly public: boolean
  readonly input: Record<string, unknown>
}

/** A shell command that runs as printed. It reads the token from the environment and never contains it. */
export function curl(server: string, operation: Operation, demo: ExampleDemo): string {
  const { method, security, requestBody, responses } = operation
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const byToken =
    !security.some((one) => Object.keys(one).length === 0) || (!demo.public && operation.path.includes('{name}'))
  if (!security.some((one) => Object.keys(one).length === 0 || 'token' in one))
    return '# For a browser that is signed in: no token may do this.'
  const streams = Object.values(responses).some(
    ({ content }) => content && Object.keys(content)[0] === 'text/event-stream',
  )
  const parts = [
    `curl${streams ? ' -N' : ''} ${server}${pathOf(operation, demo)}`,
    method === 'get' || (method === 'post' && body) ? '' : `-X ${method.toUpperCase()}`,
    byToken ? '-H "Authorization: Bearer $ORIGAMI_TOKEN"' : '',
    type ? `-H 'content-type: ${type === '*/*' ? 'text/plain' : type}'` : '',
    body ? `-d ${quoted(exampleOf(body.example ?? sampleBody(type, body.schema), demo))}` : '',
  ]
  return parts.filter(Boolean).join(' \\\n  ')
}

/** A value that fits the schema of a demo's input. */
export function sampleInput({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]))
}

const sampleBody = (type: string | undefined, schema: Schema): unknown =>
  type === 'application/json' ? sampleInput(schema) : 'Hello'

function sample({ default: usual, enum: choices, type, format, minimum }: Schema): unknown {
  if (usual !== undefined) return usual
  if (choices) return choices[0]
  if (type === 'integer' || type === 'number') return minimum ?? 1
  if (type === 'boolean') return true
  return format === 'uri' ? 'data:text/plain,Hello' : 'Hello'
}

function pathOf({ path, parameters, 'x-origami-example': example }: Operation, { account, name }: ExampleDemo): string {
  const values: Record<string, string> = { account, name, ...example }
  const usual = (wanted: string) =>
    parameters.find((one) => one.in === 'path' && one.name === wanted)?.example ?? wanted
  return path.replaceAll(/\{(\w+)\}/g, (_whole, wanted: string) => values[wanted] ?? usual(wanted))
}

function exampleOf(example: unknown, demo: ExampleDemo): string {
  if (typeof example !== 'object' || example === null) return String(example)
  return JSON.stringify('input' in example ? { ...example, input: demo.input } : example)
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
