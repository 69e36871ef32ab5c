import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { OpenAPIV3_1 } from 'openapi-types'

/**
 * Makes `app.swagger()` return the OpenAPI 3.1 document of all routes that are added later and have a schema. Schemas
 * with an id in their metadata are put under `components`.
 */
export async function documentRoutes(
  app: FastifyInstance,
  about: Omit<OpenAPIV3_1.Document, 'openapi' | 'paths'>,
): Promise<void> {
  const zodToJsonConfig = { unrepresentable: 'any', override: withoutBounds } as const
  const transform = createJsonSchemaTransform({ zodToJsonConfig })
  const components = createJsonSchemaTransformObject({ zodToJsonConfig })
  await app.register(swagger, {
    openapi: { openapi: '3.1.1', ...about },
    transform: (route) => (route.schema ? transform(route) : { schema: { hide: true }, url: route.url }),
    transformObject: (document) => onlyReferred(components(document) as OpenAPIV3_1.Document),
  })
}

/** Removes the bounds of safe integers, which say nothing to a caller. */
function withoutBounds({
  jsonSchema,
}: {
  jsonSchema: { minimum?: number | undefined; maximum?: number | undefined }
}): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}

const reference = /#\/components\/schemas\/([^"]+)/g

/**
 * Removes schemas that no route uses. One that is only sent, or is the same when sent and answered, gets one name
 * instead of two.
 */
function onlyReferred(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const all = document.components?.schemas ?? {}
  const found = new Set<string>()
  const visit = (part: unknown) => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(reference)) {
      if (found.has(name)) continue
      found.add(name)
      visit(all[name])
    }
  }
  visit(document.paths)
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => found.has(name)))
  const text = JSON.stringify({ ...document, components: { ...document.components, schemas } })
  const sent = [...found].filter((name) => name.endsWith('Input') && !found.has(name.slice(0, -'Input'.length)))
  return JSON.parse(
    sent.reduce((all, name) => renamed(all, name, name.slice(0, -'Input'.length)), text),
  ) as OpenAPIV3_1.Document
}

const renamed = (text: string, from: string, to: string): string =>
  text.replaceAll(`#/components/schemas/${from}"`, `#/components/schemas/${to}"`).replace(`"${from}":{`, `"${to}":{`)
