import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Manifest, parseManifest } from '@origami/protocol/demo'
import { findModel } from './model/launch.ts'
import { startRuntime } from './server.ts'

/**
 * What runs in a bundle: `node origami/server.mjs`. Environment: PORT (6000, or what `.origami` says; 0: any), ORIGAMI_HOST, ORIGAMI_PORT_FILE
 * (where the port is written once it listens), ORIGAMI_PYTHON, ORIGAMI_FILES.
 */
const here = dirname(fileURLToPath(import.meta.url))
const folder = join(here, '..')
const { PORT, ORIGAMI_HOST = '0.0.0.0', ORIGAMI_PORT_FILE, ORIGAMI_PYTHON, ORIGAMI_FILES } = process.env

const manifest = readManifest(join(folder, '.origami'))
const runtime = await startRuntime({
  model: findModel(folder),
  host: ORIGAMI_HOST,
  port: PORT === undefined ? manifest.port : Number(PORT),
  manifest,
  python: ORIGAMI_PYTHON,
  page: join(here, 'page'),
  files: ORIGAMI_FILES,
})
if (ORIGAMI_PORT_FILE) {
  await writeFile(`${ORIGAMI_PORT_FILE}.new`, String(runtime.port))
  await rename(`${ORIGAMI_PORT_FILE}.new`, ORIGAMI_PORT_FILE)
}
console.log(`Listening on ${runtime.url}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void runtime[Symbol.asyncDispose]())

function readManifest(path: string): Manifest {
  return parseManifest(existsSync(path) ? readFileSync(path, 'utf8') : '')
}
