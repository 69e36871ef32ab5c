import type { z } from 'zod'
import type { Problem } from './errors.ts'
import { componentOf } from './registry.ts'
import type { DemoSchema, Field, Input } from './schema.ts'

/**
 * Checks an input against a demo's schema and fills in defaults. Missing optional fields without a default become null.
 * It reads no bytes: whether a file exists and has the right type is checked by the server that stores it.
 */
export function validateInput(schema: DemoSchema, input: Input): { input: Input; problems: readonly Problem[] } {
  const problems: Problem[] = []
  const checked: Input = {}
  const known = inputNames(schema)
  const unknown = Object.keys(input).filter((name) => !known.has(name))
  if (unknown.length > 0) problems.push(...unknownFields(unknown, schema))
  for (const field of schema.inputs) {
    const supplied = Object.hasOwn(input, field.name) ? input[field.name] : undefined
    const value = supplied ?? field.default ?? null
    if (value === null) {
      checked[field.name] = null
      if (field.required) problems.push({ field: field.name, type: 'value_error.missing', message: 'Field required' })
    } else {
      const problem = supplied === undefined || supplied === null ? undefined : valueProblem(field, value)
      if (problem) problems.push(problem)
      else checked[field.name] = value
    }
  }
  return { input: checked, problems }
}

/** The problem of one value of a field. Undefined: there is none. It checks outputs too. */
export function valueProblem(field: Field, value: unknown): Problem | undefined {
  const component = componentOf(field.component)
  const parsed = validatorOf(field).safeParse(value)
  if (parsed.success) return undefined
  const [issue] = parsed.error.issues
  const expected = issue ? expectation(issue, component.expects) : component.expects
  return { field: field.name, type: 'value_error', message: `expected ${cut(expected, 500)}, got ${shown(value)}` }
}

/** The schemas of fields' values: making one costs more than using it. */
const validators = new WeakMap<Field, z.ZodType>()

function validatorOf(field: Field): z.ZodType {
  const known = validators.get(field)
  if (known) return known
  const component = componentOf(field.component)
  const made = component.value(component.options.parse(field.options))
  validators.set(field, made)
  return made
}

/** The names of the inputs of demos. */
const names = new WeakMap<DemoSchema, ReadonlySet<string>>()

function inputNames(schema: DemoSchema): ReadonlySet<string> {
  const known = names.get(schema)
  if (known) return known
  const made = new Set(schema.inputs.map((field) => field.name))
  names.set(schema, made)
  return made
}

function expectation(issue: z.core.$ZodIssue, expects: string): string {
  const unit = 'origin' in issue && issue.origin === 'string' ? ' characters' : ''
  if (issue.code === 'too_small') return `at least ${issue.minimum}${unit}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}${unit}`
  if (issue.code === 'invalid_value') return `one of ${issue.values.map((choice) => JSON.stringify(choice)).join(', ')}`
  if (issue.code === 'invalid_type' && issue.expected === 'int') return 'a whole number'
  return expects
}

/** A value as text, short enough for a message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' && value.length > 60 ? `text of ${value.length} characters` : written(value)
  return cut(text, 80)
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 3)}…` : text)

/** A value that is nested too deeply for JSON.stringify is represented by its type. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return typeof value
  }
}

/** The answer lists at most this many unknown fields, so that it is not larger than the request. */
const mostUnknown = 10

function unknownFields(names: readonly string[], schema: DemoSchema): Problem[] {
  const fields = schema.inputs.map((field) => field.name).join(', ')
  const message = fields
    ? `unknown field; this demo takes ${cut(fields, 1000)}`
    : 'unknown field; this demo takes no input'
  const type = 'value_error.extra'
  const problems = names.slice(0, mostUnknown).map((name) => ({ field: cut(name, 100), type, message }))
  const more = names.length - problems.length
  return more === 0 ? problems : [...problems, { type, message: `and ${more} more unknown fields` }]
}
