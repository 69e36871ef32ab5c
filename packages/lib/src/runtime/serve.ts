import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, extname, join } from 'node:path'
import { type Manifest, parseManifest } from '@origami/protocol/demo'
import { watch } from 'chokidar'
import { inCheckout, vendor } from '../vendor.ts'
import { launchOf } from './pool/launch.ts'
import { type Runtime, startRuntime } from './server.ts'

/** Files that change together, as when another branch is checked out, cause only one reload. */
const settleMs = 100
/**
 * An error in the code is corrected by saving it, which reloads at once. Errors that disappear by themselves, of a
 * network for example, need no hurry.
 */
const backOffMs = [15_000, 60_000, 300_000]

export interface ServeOptions {
  readonly model: string
  readonly port: number
  readonly host: string
  readonly python?: string
  /** Names under which browsers call it, besides addresses, `localhost` and the name of this machine. */
  readonly allowedHosts?: readonly string[]
  readonly onLog?: (line: string) => void
}

/**
 * `origami serve`: a runtime that reloads the model when its file, code beside it or `.origami` changes. Throws Error
 * for a file that is no model or does not exist, ManifestError for a wrong `.origami`.
 */
export async function serveModel(options: ServeOptions): Promise<Runtime> {
  const { model, port, host, python, onLog = console.error } = options
  const allowedHosts = [hostname().toLowerCase(), ...(options.allowedHosts ?? [])]
  launchOf(model, { python })
  const page = inCheckout ? join(import.meta.dirname, '../../../demo-ui/dist/page') : join(vendor, 'page')
  const manifest = manifestBeside(model)
  const runtime = await startRuntime({ model, port, host, python, page, manifest, backOffMs, allowedHosts })
  const code = watch(dirname(model), {
    ignoreInitial: true,
    depth: 3,
    ignored: (path) => path === join(dirname(model), 'origami') || /node_modules|__pycache__|\.venv|\.git/.test(path),
  })
  const ready = once(code, 'ready')
  let soon: NodeJS.Timeout | undefined
  code.on('all', (_event, path) => {
    if (!['.py', '.ts', '.js', '.mjs', '.mts'].includes(extname(path)) && path !== join(dirname(model), '.origami'))
      return
    clearTimeout(soon)
    soon = setTimeout(() => {
      onLog(`${basename(path)} changed; loading the model anew`)
      try {
        runtime.predictor.reload(manifestBeside(model))
      } catch (error) {
        onLog(error instanceof Error ? error.message : String(error))
      }
    }, settleMs)
  })
  await ready
  return {
    ...runtime,
    async [Symbol.asyncDispose]() {
      clearTimeout(soon)
      await code.close()
      await runtime[Symbol.asyncDispose]()
    },
  }
}

function manifestBeside(model: string): Manifest {
  const path = join(dirname(model), '.origami')
  return parseManifest(existsSync(path) ? readFileSync(path, 'utf8') : '')
}
