import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Field, isFileComponent } from '@origami/protocol/demo'
import { type AnyDemo, demoMark, type Fields } from '../../author/demo.ts'
import { readableName } from '../pool/title.ts'
import type { DescribedDemo } from '../wire/messages.ts'

const maxExampleBytes = 1024 ** 2

/** Imports a model and describes it. Throws Error that says what its author must change. */
export async function loadDemo(url: URL): Promise<{ definition: AnyDemo; schema: DescribedDemo }> {
  const module = (await import(url.href)) as { default?: unknown }
  const definition = module.default
  if (!isDemo(definition)) throw new Error('expected `export default demo({ … })` from origami-lib')
  return { definition, schema: await describe(definition, url) }
}

const isDemo = (value: unknown): value is AnyDemo => typeof value === 'object' && value !== null && demoMark in value

async function describe(demo: AnyDemo, model: URL): Promise<DescribedDemo> {
  const inputs = fields(demo.inputs, true)
  return {
    api: 1,
    ...titled(demo, model),
    description: demo.description ?? '',
    inputs,
    outputs: fields(demo.outputs, false),
    examples: await Promise.all((demo.examples ?? []).map((example) => withFiles(example, inputs, model))),
    streaming: Object.getPrototypeOf(demo.predict)?.[Symbol.toStringTag]?.endsWith('GeneratorFunction') ?? false,
    concurrency: demo.concurrency ?? 1,
  }
}

/** The title in the model, or one made from its file's name if that is specific. */
function titled({ title }: AnyDemo, model: URL): { title?: string } {
  const path = fileURLToPath(model)
  const name = basename(path, extname(path))
  if (title) return { title }
  return name === 'model' ? {} : { title: readableName(name) }
}

function fields(definitions: Fields, isInput: boolean): Field[] {
  return Object.entries(definitions).map(([name, field]) => ({
    name,
    label: field.label ?? labelFromName(name),
    component: field.component,
    options: { ...field.options },
    required: isInput && field.optional !== true && field.default === undefined,
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.default === undefined ? {} : { default: field.default }),
  }))
}

/** `dogBreed`, `dog_breed` → `Dog breed` */
function labelFromName(name: string): string {
  const spaced = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
    .trim()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** Files of an example are put into the schema as data: URIs. */
async function withFiles(
  example: Readonly<Record<string, unknown>>,
  inputs: readonly Field[],
  model: URL,
): Promise<Record<string, unknown>> {
  const files = new Set(inputs.filter((field) => isFileComponent(field.component)).map((field) => field.name))
  const entries = Object.entries(example).map(async ([name, value]) => {
    if (!files.has(name) || typeof value !== 'string' || /^(data|https?):/.test(value)) return [name, value] as const
    const bytes = await readFile(new URL(value, model))
    if (bytes.length > maxExampleBytes)
      throw new Error(`example ${value}: expected at most 1 MiB, got ${bytes.length} bytes`)
    return [name, `data:${mediaType(value)};base64,${bytes.toString('base64')}`] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

const mediaTypes: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  txt: 'text/plain',
  csv: 'text/csv',
}

const mediaType = (path: string): string =>
  mediaTypes[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream'
