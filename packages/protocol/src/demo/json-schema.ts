import { z } from 'zod'
import { componentOf } from './registry.ts'
import type { DemoSchema, Field } from './schema.ts'

/**
 * The JSON schema of one field's value in Cog's form: `title`, `x-order`, `default`, `description`, and
 * `x-origami-component`.
 */
function fieldJsonSchema(field: Field, order: number): Record<string, unknown> {
  const component = componentOf(field.component)
  const value = component.file
    ? { type: 'string', format: 'uri', contentMediaType: component.file }
    : z.toJSONSchema(component.value(component.options.parse(field.options)), {
        target: 'openapi-3.0',
        unrepresentable: 'any',
      })
  return {
    ...value,
    title: field.label,
    'x-order': order,
    'x-origami-component': field.component,
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(field.required ? {} : { nullable: true }),
  }
}

/** The JSON schema of the object of all inputs. */
export function inputJsonSchema(schema: DemoSchema): Record<string, unknown> {
  return {
    type: 'object',
    title: 'Input',
    properties: Object.fromEntries(schema.inputs.map((field, order) => [field.name, fieldJsonSchema(field, order)])),
    required: schema.inputs.filter((field) => field.required).map((field) => field.name),
    additionalProperties: false,
  }
}

/** The JSON schema of the output: the value of a single output, or the object of all outputs. */
export function outputJsonSchema(schema: DemoSchema): Record<string, unknown> {
  const [only, ...more] = schema.outputs
  if (only && more.length === 0) return { ...fieldJsonSchema(only, 0), title: 'Output' }
  return {
    type: 'object',
    title: 'Output',
    properties: Object.fromEntries(schema.outputs.map((field, order) => [field.name, fieldJsonSchema(field, order)])),
  }
}
