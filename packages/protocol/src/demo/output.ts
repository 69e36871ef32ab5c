import type { DemoSchema } from './schema.ts'

/**
 * The output of a prediction. With one output field it is that field's value (as in Cog), and with several an object by
 * field name.
 */
export type Output = unknown

/** The output by field name, for any number of fields. Missing fields are undefined. */
export function outputFields(schema: Pick<DemoSchema, 'outputs'>, output: Output): Record<string, unknown> {
  const [only, ...more] = schema.outputs
  if (only && more.length === 0) return { [only.name]: output ?? undefined }
  return (output ?? {}) as Record<string, unknown>
}

/** The reverse of `outputFields`. */
export function outputValue(schema: Pick<DemoSchema, 'outputs'>, fields: Record<string, unknown>): Output {
  const [only, ...more] = schema.outputs
  return only && more.length === 0 ? fields[only.name] : fields
}
