import { once } from 'node:events'
import { basename, dirname, extname, join } from 'node:path'
import { watch } from 'chokidar'
import { type Runtime, startRuntime } from './server.ts'

export interface ServeOptions {
  readonly model: string
  readonly port: number
  readonly host: string
  readonly python?: string
  readonly onLog?: (line: string) => void
}

/** `origami serve`: a runtime that loads the model anew when its file, or code beside it, changes. */
export async function serveModel({ model, port, host, python, onLog = console.error }: ServeOptions): Promise<Runtime> {
  const runtime = await startRuntime({ model, port, host, python, page: join(import.meta.dirname, '../../../demo-ui/dist/page') })
  const code = watch(dirname(model), {
    ignoreInitial: true,
    depth: 3,
    ignored: (path) => /node_modules|__pycache__|\.venv|\.git/.test(path),
  })
  const ready = once(code, 'ready')
  code.on('all', (_event, path) => {
    if (!['.py', '.ts', '.js', '.mjs', '.mts'].includes(extname(path))) return
    onLog(`${basename(path)} changed; loading the model anew`)
    runtime.predictor.reload()
  })
  await ready
  return {
    ...runtime,
    async [Symbol.asyncDispose]() {
      await code.close()
      await runtime[Symbol.asyncDispose]()
    },
  }
}
