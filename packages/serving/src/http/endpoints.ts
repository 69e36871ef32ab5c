import type { Answer, AnswerOf, Endpoint, EndpointCall, Endpoints } from '@origami/protocol/control'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaCompiler,
  HTTPMethods,
  RouteShorthandOptions,
} from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'

/** A call of an endpoint as its handler gets it, parsed by the endpoint's schemas. */
interface Handled<E> extends EndpointCall<E> {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Returns the answer, or writes to the reply itself and returns that, or nothing. */
type Handler<E> = (call: Handled<E>) => Promise<AnswerOf<E> | FastifyReply | undefined>

type WithOptions<Handle> = [handle: Handle] | [options: RouteShorthandOptions, handle: Handle]

/** What a server says about its endpoints besides their table: keys of an OpenAPI operation, and more answers. */
export type Remarks<E extends Endpoint> = (
  endpoint: E,
  key: string,
) => {
  readonly operation?: Readonly<Record<string, unknown>>
  readonly answers?: Readonly<Record<string, Answer>>
}

/** Adds routes of a table to a server by their keys. An endpoint that is not added has no route. */
export function endpointsOn<E extends Endpoint, Table extends Endpoints<E>>(
  app: FastifyInstance,
  table: Table,
  remarks: Remarks<E> = () => ({}),
) {
  return <Key extends keyof Table & string>(key: Key, ...rest: WithOptions<Handler<Table[Key]>>): void => {
    const [options, handle] = rest.length === 2 ? rest : [{}, rest[0]]
    const [method, url = ''] = key.split(' ')
    const endpoint = table[key as keyof Endpoints] as E
    const { operation = {}, answers = {} } = remarks(endpoint, key)
    app.route({
      ...options,
      method: method as HTTPMethods,
      url,
      schema: { ...validated(endpoint), ...described(endpoint, answers), ...operation },
      validatorCompiler: validatorCompiler as FastifySchemaCompiler<unknown>,
      serializerCompiler: asJson,
      handler: (request, reply) => {
        // The endpoint's schemas have parsed each part already.
        const { params, query, body } = request
        const call = { params, query, body } as EndpointCall<Table[Key]>
        reply.status(Number(Object.keys(endpoint.answers)[0]))
        return handle({ ...call, request, reply })
      },
    })
  }
}

/** Options of a route that is documented as its endpoint but validates requests itself. */
export function describedOnly<E extends Endpoint>(
  endpoint: E,
  key: string,
  remarks: Remarks<E> = () => ({}),
): RouteShorthandOptions {
  const { operation = {}, answers = {} } = remarks(endpoint, key)
  return {
    schema: { ...validated(endpoint), ...described(endpoint, answers), ...operation },
    validatorCompiler: () => (value: unknown) => ({ value }),
    serializerCompiler: asJson,
  }
}

/** Answers of our own code are checked by their types, so serialising them by schema would only cost time. */
const asJson = () => (answer: unknown) => JSON.stringify(answer)

const validated = ({ params, query, body }: Endpoint): object => ({
  ...(params ? { params } : {}),
  ...(query ? { querystring: query } : {}),
  ...(body ? { body } : {}),
})

function described(
  { id, tag, summary, description, answers, refuses }: Endpoint,
  more: Readonly<Record<string, Answer>>,
): object {
  const all: Readonly<Record<string, Answer>> = { ...answers, ...more, ...refuses }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    response: Object.fromEntries(Object.entries(all).map(([status, answer]) => [status, response(answer)])),
  }
}

function response({ what, body }: Answer): object {
  if (body === undefined) return z.null().describe(what)
  const content =
    typeof body === 'string' ? { [body]: { schema: z.string() } } : { 'application/json': { schema: body } }
  return { description: what, content }
}
