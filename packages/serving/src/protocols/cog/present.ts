import {
  type DemoSchema,
  isFileComponent,
  outputFields,
  outputValue,
  type PredictionEvent,
  type PredictionSnapshot,
} from '@origami/protocol/demo'
import { fileAddress, refOf } from '../../files/addresses.ts'

/** A snapshot in the form for callers: file references become URLs under `base`, and links to follow it are added. */
export function presentSnapshot(snapshot: PredictionSnapshot, schema: DemoSchema | undefined, base: string) {
  const self = `${base}/predictions/${snapshot.id}`
  return {
    ...snapshot,
    ...(schema && base !== '' ? withAddresses(snapshot, schema, base) : {}),
    urls: { get: self, cancel: `${self}/cancel`, events: `${self}/events` },
  }
}

export function presentEvent(event: PredictionEvent, schema: DemoSchema | undefined, base: string): PredictionEvent {
  if (event.type === 'completed') return { ...event, data: presentSnapshot(event.data, schema, base) }
  if (event.type !== 'output' || !schema || base === '') return event
  return { ...event, data: { ...event.data, chunk: withBase(event.data.chunk, base) } }
}

function withAddresses(snapshot: PredictionSnapshot, schema: DemoSchema, base: string) {
  const output =
    snapshot.output === null
      ? null
      : outputValue(schema, addressed(schema.outputs, outputFields(schema, snapshot.output), base))
  return { input: addressed(schema.inputs, snapshot.input, base), output }
}

function addressed(
  fields: DemoSchema['inputs'],
  values: Record<string, unknown>,
  base: string,
): Record<string, unknown> {
  if (!fields.some((field) => isFileComponent(field.component))) return values
  const files = new Set(fields.filter((field) => isFileComponent(field.component)).map((field) => field.name))
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, files.has(name) ? withBase(value, base) : value]),
  )
}

function withBase(value: unknown, base: string): unknown {
  const ref = typeof value === 'string' ? refOf('', value) : undefined
  return ref ? fileAddress(base, ref) : value
}
