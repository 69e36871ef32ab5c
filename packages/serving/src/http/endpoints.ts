import type { Answer, AnswerOf, Call, Endpoint, Endpoints } from '@origami/protocol/control'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaCompiler, HTTPMethods } from 'fastify'
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'

/** A call of an endpoint, as its handler gets it: parsed by the endpoint's schemas. */
export interface Handled<E> extends Call<E> {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Answers by its value, or writes to the reply by itself and hands that back, or nothing. */
type Handler<E> = (call: Handled<E>) => Promise<AnswerOf<E> | FastifyReply | undefined>

/** Adds routes of a table to a server, each under its key. What is not added is no route. */
export function endpointsOn<Table extends Endpoints>(app: FastifyInstance, table: Table) {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  return <Key extends keyof Table & string>(key: Key, handle: Handler<Table[Key]>, config: object = {}): void => {
    const [method, url = ''] = key.split(' ')
    const endpoint = table[key as keyof Endpoints] as Endpoint
    typed.route({
      method: method as HTTPMethods,
      url,
      config,
      schema: routeSchema(endpoint),
      validatorCompiler: validatorCompiler as FastifySchemaCompiler<unknown>,
      // What our own code answers is checked by its types: a copy made by schema at every answer would tell nothing more.
      serializerCompiler: () => (answer) => JSON.stringify(answer),
      handler: (request, reply) => {
        const { params, query, body } = request as unknown as Call<Table[Key]>
        reply.status(Number(Object.keys(endpoint.answers)[0]))
        return handle({ params, query, body, request, reply })
      },
    })
  }
}

/** An endpoint as Fastify takes it: parts to validate, and what the document says. */
function routeSchema(endpoint: Endpoint): object {
  const { id, tag, summary, description, params, query, body, answers, refuses } = endpoint
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    ...(params ? { params } : {}),
    ...(query ? { querystring: query } : {}),
    ...(body ? { body } : {}),
    response: Object.fromEntries(
      Object.entries({ ...answers, ...refuses }).map(([status, answer]) => [status, response(answer)]),
    ),
  }
}

function response({ what, body }: Answer): object {
  if (body === undefined) return z.null().describe(what)
  const content = typeof body === 'string' ? { [body]: { schema: z.string() } } : { 'application/json': { schema: body } }
  return { description: what, content }
}
