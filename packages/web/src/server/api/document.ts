import { demoIndexEndpoint, demoParams, predictionEndpoints, type WebEndpoint, webApi } from '@origami/protocol/control'
import { documentRoutes } from '@origami/serving/document'
import { describedOnly, endpointsOn } from '@origami/serving/endpoints'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { remarksOn } from './remarks.ts'

/**
 * `GET /-/openapi.json`: describes every route that is added later, except pages. `publicUrl` is this server's address.
 */
export async function documentRoute(app: FastifyInstance, publicUrl: () => string): Promise<void> {
  app.addHook('onRoute', describeDemoRoute)
  await documentRoutes(app, about)
  let document: OpenApi | undefined
  endpointsOn(
    app,
    webApi,
    remarksOn,
  )('GET /-/openapi.json', async () => {
    document ??= completed(app.swagger() as OpenApi)
    return { ...document, servers: [{ url: publicUrl() }] }
  })
}

const about = {
  info: {
    title: 'Origami',
    version: '1',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    description:
      'What the pages of this server and the `origami` command use. Programs send a token, made on the account page, as `Authorization: Bearer ori_…`.',
  },
  tags: [
    { name: 'Account', description: 'Who one is: the session, and tokens for programs.' },
    { name: 'Demos', description: 'Every public demo, and your own: make, change, deploy, stop, remove.' },
    {
      name: 'Predictions',
      description:
        "A demo's own API, under its page's address. It is Cog's and more; the demo's own `openapi.json` names its inputs.",
    },
    { name: 'Documents', description: 'This description.' },
  ],
  components: {
    securitySchemes: {
      token: {
        type: 'http',
        scheme: 'bearer',
        description:
          'A token of the account page: `ori_…`. It may do what its scopes say: `x-origami-scope` of an operation.',
      },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'origami_session',
        description: 'What a browser has once it signed in.',
      },
      csrf: {
        type: 'apiKey',
        in: 'header',
        name: 'x-csrf-token',
        description: 'With every change by cookie; the session tells it.',
      },
    },
  },
} satisfies Parameters<typeof documentRoutes>[1]

const prefix = '/:account/:name'
/** The endpoints of every demo, by method and path. */
export const demoEndpoints: Readonly<Record<string, WebEndpoint>> = {
  ...Object.fromEntries(
    Object.entries(predictionEndpoints).map(([key, endpoint]) => [key.replace(' ', ` ${prefix}`), endpoint]),
  ),
  [`GET ${prefix}`]: demoIndexEndpoint,
}

/**
 * The routes of a demo come from another package, which does not know this server, so their description is added here.
 */
function describeDemoRoute(route: RouteOptions): void {
  const [method] = [route.method].flat()
  const key = `${method} ${route.url}`
  const endpoint = demoEndpoints[key]
  if (!endpoint) return
  const params = demoParams.extend(endpoint.params?.shape ?? {})
  Object.assign(route, describedOnly({ ...endpoint, params }, key, remarksOn))
}

interface Parameter {
  name: string
  in: string
  schema: { type?: string; example?: string }
  example?: string
  description?: string
}
interface Operation {
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { example?: unknown }> }
  'x-origami-sends'?: unknown
  'x-origami-headers'?: Record<string, string>
}
interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Operation>>
}

/** Adds examples and headers, for which a route's schema has no place. */
function completed(document: OpenApi): OpenApi {
  const paths = Object.entries(document.paths).map(([path, item]) => {
    // HEAD is GET without the body, and is not described separately.
    const { head: _, ...operations } = item
    const all = Object.entries(operations).map(([method, operation]) => [method, complete(operation)])
    return [path, Object.fromEntries(all)]
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

function complete({
  'x-origami-sends': example,
  'x-origami-headers': headers = {},
  ...operation
}: Operation): Operation {
  const parameters = [...(operation.parameters ?? []).map(withExample), ...Object.entries(headers).map(headerParameter)]
  const content = Object.entries(operation.requestBody?.content ?? {}).map(([type, media]) => [
    type,
    { ...media, example },
  ])
  return {
    ...operation,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.requestBody
      ? { requestBody: { ...operation.requestBody, content: Object.fromEntries(content) } }
      : {}),
  }
}

const withExample = ({ schema: { example, ...schema }, ...parameter }: Parameter): Parameter => ({
  ...parameter,
  schema,
  ...(example === undefined ? {} : { example }),
})

const headerParameter = ([name, description]: [string, string]): Parameter => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
})
