import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseManifest } from '@origami/protocol/demo'
import { runtimeSettings } from '../env.ts'
import { findModel } from './pool/launch.ts'
import { startRuntime } from './server.ts'

/**
 * Runs a bundle (`node origami/server.mjs`) until the signal aborts. Then it ends, with everything that it started.
 * Throws SettingError for a wrong variable, ManifestError for a wrong `.origami`.
 */
export async function serveBundle(stop: AbortSignal): Promise<void> {
  const here = dirname(fileURLToPath(import.meta.url))
  const folder = join(here, '..')
  const { port, portFile, name, filesBytes, ...settings } = runtimeSettings()
  const manifest = parseManifest(read(join(folder, '.origami')) ?? '')
  await using runtime = await startRuntime({
    ...settings,
    model: findModel(folder),
    port: port ?? manifest.port,
    manifest,
    name: name ?? read(join(here, 'name'))?.trim(),
    page: join(here, 'page'),
    keep: filesBytes === undefined ? {} : { maxBytes: filesBytes },
  })
  if (portFile) {
    await writeFile(`${portFile}.new`, String(runtime.port))
    await rename(`${portFile}.new`, portFile)
  }
  console.log(`Listening on ${runtime.url}`)
  if (!stop.aborted) await once(stop, 'abort')
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
