import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { componentOf, type DemoSchema, isFileComponent, parseFileRef, valueProblem } from '@origami/protocol/demo'
import { fileOnWire } from '../wire/messages.ts'
import type { CountedFiles } from './counted-files.ts'
import type { Run } from './run.ts'

/** The input in the form for a worker, with files as paths on disk. Throws Error for a file that is gone. */
export async function inputForWorker(
  schema: DemoSchema,
  run: Run,
  files: CountedFiles,
): Promise<Record<string, unknown>> {
  const input = { ...run.input }
  for (const { name, component } of schema.inputs) {
    const ref = isFileComponent(component) ? parseFileRef(String(input[name]))?.ref : undefined
    const file = ref && (await files.open(ref))
    if (ref && file) input[name] = { path: file.path, name: file.name, type: file.type }
    else if (componentOf(component).file && input[name] != null) throw new Error(`the file of ${name} is gone`)
  }
  return input
}

/** The model's result by field name, with its files stored. Throws Error that says why it is no output of this demo. */
export async function outputFromWorker(
  schema: DemoSchema,
  returned: Readonly<Record<string, unknown>>,
  run: Run,
  files: CountedFiles,
): Promise<Record<string, unknown>> {
  const output: Record<string, unknown> = {}
  for (const { name } of schema.outputs)
    output[name] = await valueFromWorker(schema, name, returned[name] ?? null, run, files)
  return output
}

/** The same for a demo whose outputs are no files. Throws Error that says why it is no output of this demo. */
export function plainOutput(schema: DemoSchema, returned: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const output: Record<string, unknown> = {}
  for (const { name } of schema.outputs) output[name] = plainValue(schema, name, returned[name] ?? null)
  return output
}

/** One output, or a part of it that replaces the part before. */
export async function valueFromWorker(
  schema: DemoSchema,
  name: string,
  returned: unknown,
  run: Run,
  files: CountedFiles,
): Promise<unknown> {
  const field = schema.outputs.find((output) => output.name === name)
  const file = field && isFileComponent(field.component) ? fileOnWire.safeParse(returned) : undefined
  return plainValue(schema, name, file?.success ? await takeFile(name, file.data, run, files) : returned)
}

/** The same for an output that is no file, or one that is stored. */
export function plainValue(schema: DemoSchema, name: string, value: unknown): unknown {
  const field = schema.outputs.find((output) => output.name === name)
  if (!field)
    throw new Error(`the model gave an output ${JSON.stringify(name.slice(0, 100))} that its description does not have`)
  if (value === null) return null
  const problem = valueProblem(field, value)
  if (problem) throw new Error(`The model gave a wrong output: ${name}: ${problem.message}`)
  return value
}

async function takeFile(
  output: string,
  { path, name, type }: { path: string; name?: string | undefined; type?: string | undefined },
  run: Run,
  files: CountedFiles,
): Promise<string> {
  await using file = await openRegular(output, path)
  const ref = await files.take(
    crypto.randomUUID().replaceAll('-', ''),
    plain(name ?? basename(path)),
    type,
    file.createReadStream(),
  )
  files.use(ref, run.id)
  return ref
}

/** Opens a regular file only. A link may lead anywhere, and a pipe may never end. */
async function openRegular(output: string, path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      const what =
        error.code === 'ENOENT'
          ? 'is not there'
          : error.code === 'ELOOP'
            ? 'is a link'
            : `cannot be read (${error.code})`
      throw new Error(`output ${output}: expected a file, but ${basename(path)} ${what}`, { cause: error })
    },
  )
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new Error(`output ${output}: expected a file, but ${basename(path)} is none`)
}

/** Makes a name valid for files here: one line, of limited length. */
function plain(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  const line = name.replaceAll(/[/\\\u0000-\u001f\u007f]/g, '_')
  const safe = line.slice(-200).toWellFormed()
  return safe === '' || safe === '.' || safe === '..' ? 'file' : safe
}
