import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type DemoSchema, parseManifest } from '@origami/protocol/demo'
import { findModel } from '../runtime/index.ts'
import { vendor } from '../vendor.ts'
import { dockerfile, dockerignore } from './dockerfile.ts'
import { type Contents, writeBundle } from './files.ts'
import { runFirstExample } from './try.ts'
import { removeLeavings, vendoredFiles } from './vendored.ts'

export interface BundleRequest {
  /** The folder that contains model.py or model.ts. */
  readonly folder: string
  /** Overwrites files that a person changed. */
  readonly force?: boolean
  /** Runs the first example of the finished bundle. The default is true. */
  readonly run?: boolean
  readonly python?: string
  readonly onLog: (line: string) => void
}

export interface Bundled {
  /** Paths that a person changed, and that were therefore not overwritten. */
  readonly kept: readonly string[]
  /** The size of everything that was written, the runtime included. */
  readonly bytes: number
  /** The commands that build and run the bundle on one's own server. */
  readonly commands: readonly string[]
}

const optional = 'title, description, concurrency, strategy, memory, cpus, port, ready_within, timeout'
const emptyManifest = `# Everything here is optional: ${optional}.\n`

/**
 * Makes a folder with a model ready to deploy: writes `.origami`, `Dockerfile` and the runtime under `origami/`, and
 * then runs the first example in it. A second run writes the same bytes. Throws Error when there is no model,
 * `.origami` is wrong, or the model fails.
 */
export async function bundle(
  { folder, force = false, run = true, python, onLog }: BundleRequest,
  signal: AbortSignal,
): Promise<Bundled> {
  const language = findModel(folder).endsWith('.py') ? 'python' : 'node'
  const own = await ownFiles(folder, language)
  const write = async (schema?: DemoSchema) => {
    const contents: Contents = new Map<string, string | Uint8Array>([
      ...(await vendoredFiles(vendor, { language, schema })),
      ...own,
    ])
    return { contents, kept: await writeBundle(folder, contents, force) }
  }
  let { contents, kept: preserved } = await write()
  for (const path of preserved) onLog(`kept ${path}, which was changed by hand (--force overwrites it)`)
  if (run) {
    const schema = await runFirstExample({ folder, python, onLog }, signal)
    ;({ contents, kept: preserved } = await write(schema))
  }
  await removeLeavings(join(folder, 'origami'))
  const name =
    basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9_.-]/g, '-') || 'demo'
  return {
    kept: preserved,
    bytes: sizeOf(contents),
    commands: [`docker build -t ${name} .`, `docker run --rm -p 6060:6000 ${name}`],
  }
}

/** The files of a bundle besides the runtime. */
async function ownFiles(folder: string, language: 'python' | 'node'): Promise<Map<string, string>> {
  const has = (name: string) => existsSync(join(folder, name))
  const dependencies = has(language === 'python' ? 'requirements.txt' : 'package.json')
  const manifest = has('.origami') ? await readFile(join(folder, '.origami'), 'utf8') : emptyManifest
  parseManifest(manifest)
  return new Map([
    ['Dockerfile', dockerfile({ language, dependencies, locked: has('package-lock.json') })],
    ['.dockerignore', dockerignore],
    ['.origami', manifest],
    // The title of the demo when nothing else sets it. In a container all folders have the same name.
    ['origami/name', `${basename(resolve(folder))}\n`],
  ])
}

const sizeOf = (contents: Contents): number =>
  [...contents.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0)
