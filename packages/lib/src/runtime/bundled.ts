import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseManifest } from '@origami/protocol/demo'
import { findModel } from './pool/launch.ts'
import { startRuntime } from './server.ts'

/**
 * What runs in a bundle: `node origami/server.mjs`, until the signal aborts; then it ends with all that it started.
 * Environment: PORT (6000, or what `.origami` says; 0: any), ORIGAMI_HOST, ORIGAMI_PORT_FILE (where the port is written once
 * it listens), ORIGAMI_PYTHON, ORIGAMI_FILES, ORIGAMI_FILES_BYTES (how much of inputs, outputs and files is kept),
 * ORIGAMI_NAME (what the demo is called where its model does not say), ORIGAMI_BODY_BYTES and ORIGAMI_FILE_BYTES (of one JSON body, of one file).
 */
export async function serveBundle(stop: AbortSignal): Promise<void> {
  const here = dirname(fileURLToPath(import.meta.url))
  const folder = join(here, '..')
  const { PORT, ORIGAMI_HOST = '0.0.0.0', ORIGAMI_PORT_FILE, ORIGAMI_PYTHON, ORIGAMI_FILES, ORIGAMI_FILES_BYTES } = process.env
  const manifest = parseManifest(read(join(folder, '.origami')) ?? '')
  await using runtime = await startRuntime({
    model: findModel(folder),
    host: ORIGAMI_HOST,
    port: PORT === undefined ? manifest.port : Number(PORT),
    manifest,
    name: process.env.ORIGAMI_NAME || read(join(here, 'name'))?.trim(),
    python: ORIGAMI_PYTHON,
    page: join(here, 'page'),
    files: ORIGAMI_FILES,
    bodyBytes: bytes(process.env.ORIGAMI_BODY_BYTES),
    fileBytes: bytes(process.env.ORIGAMI_FILE_BYTES),
    keep: ORIGAMI_FILES_BYTES ? { maxBytes: Number(ORIGAMI_FILES_BYTES) } : {},
  })
  if (ORIGAMI_PORT_FILE) {
    await writeFile(`${ORIGAMI_PORT_FILE}.new`, String(runtime.port))
    await rename(`${ORIGAMI_PORT_FILE}.new`, ORIGAMI_PORT_FILE)
  }
  console.log(`Listening on ${runtime.url}`)
  if (!stop.aborted) await once(stop, 'abort')
}

/** What is no number of bytes counts as not given. */
function bytes(text: string | undefined): number | undefined {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
