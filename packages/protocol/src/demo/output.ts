import type { DemoSchema } from './schema.ts'

/**
 * What a prediction yields. With exactly one output field it is that field's bare value (as Cog has it);
 * with several, an object by field name.
 */
export type Output = unknown

/** The output by field name, whatever the number of fields. Absent fields are undefined. */
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
