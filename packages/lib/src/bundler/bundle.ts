import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseManifest } from '@origami/protocol/demo'
import { findModel } from '../runtime/index.ts'
import { vendor } from '../vendor.ts'
import { dockerfile, dockerignore } from './dockerfile.ts'
import { filesUnder, writeBundle } from './files.ts'
import { runFirstExample } from './try.ts'

export interface BundleRequest {
  /** Where model.py or model.ts is. */
  readonly folder: string
  /** Overwrite what a person changed. */
  readonly force?: boolean
  /** Run the first example of what was bundled; true when not given. */
  readonly run?: boolean
  readonly python?: string
  readonly onLog: (line: string) => void
}

export interface Bundled {
  /** Paths that a person changed, and that were kept. */
  readonly kept: readonly string[]
  /** What would build and run it on one's own server. */
  readonly commands: readonly string[]
}

const emptyManifest =
  '# Everything here is optional: title, description, concurrency, strategy, memory, cpus, port, ready_within.\n'

/**
 * Makes a folder with a model ready to deploy: `.origami`, `Dockerfile`, the runtime under `origami/`; then runs its first example in it.
 * Twice gives the same bytes. Throws Error when there is no model, `.origami` is wrong, or the model fails.
 */
export async function bundle(
  { folder, force = false, run = true, python, onLog }: BundleRequest,
  signal: AbortSignal,
): Promise<Bundled> {
  const model = basename(findModel(folder))
  const has = (name: string) => existsSync(join(folder, name))
  const language = model.endsWith('.py') ? ('python' as const) : ('node' as const)
  const dependencies = has(language === 'python' ? 'requirements.txt' : 'package.json')
  const contents = new Map<string, string | Uint8Array>(await filesUnder(vendor, 'origami'))
  contents.set('Dockerfile', dockerfile({ language, dependencies, locked: has('package-lock.json') }))
  contents.set('.dockerignore', dockerignore)
  const manifest = has('.origami') ? await readFile(join(folder, '.origami'), 'utf8') : emptyManifest
  parseManifest(manifest)
  contents.set('.origami', manifest)
  const kept = await writeBundle(folder, contents, force)
  for (const path of kept) onLog(`kept ${path}, which was changed by hand (--force overwrites it)`)
  if (run) await runFirstExample(folder, python, onLog, signal)
  const name =
    basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9_.-]/g, '-') || 'demo'
  return { kept, commands: [`docker build -t ${name} .`, `docker run --rm -p 6060:6000 ${name}`] }
}
