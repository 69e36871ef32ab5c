/** The parts of OpenAPI 3.1, and of JSON Schema in it, that the page reads. */
export interface ApiDocument {
  info: { title: string; description: string }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, unknown>>
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { description: string }> }
}

export interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  maxItems?: number
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  example?: string
  schema: Schema
}

type Content = Record<string, { schema: Schema; example?: unknown }>

interface Described {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  'x-origami-who': string
  'x-origami-example'?: Record<string, string>
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; content?: Content }>
}

export interface Operation extends Described {
  method: string
  path: string
  parameters: Parameter[]
}

const methods = ['get', 'put', 'post', 'patch', 'delete']

/** The operations of one tag in the document's order. */
export function operationsOf({ paths }: ApiDocument, tag: string): Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const described = item[method] as Described | undefined
      if (!described?.tags.includes(tag)) return []
      const parameters = [...((item.parameters as Parameter[] | undefined) ?? []), ...(described.parameters ?? [])]
      return [{ ...described, method, path, parameters }]
    }),
  )
}

/** `listDemos` becomes `List demos`. */
export function operationTitle(operationId: string): string {
  const name = operationId.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return name.charAt(0).toUpperCase() + name.slice(1)
}

export const schemaName = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)
