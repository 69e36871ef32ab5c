import { existsSync } from 'node:fs'
import { delimiter, dirname, extname, join } from 'node:path'
import { inheritedEnvironment } from '../../env.ts'
import { inCheckout, vendor } from '../../vendor.ts'

/** The command that starts a worker. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const nodeWorker = inCheckout ? join(import.meta.dirname, '../worker/main.ts') : join(vendor, 'worker.mjs')
const pythonPackage = inCheckout ? join(import.meta.dirname, '../../../python') : join(vendor, 'python')

const models = ['model.py', 'model.ts', 'model.mts', 'model.js', 'model.mjs']

/** The path of the model in a folder. Throws Error when there is none. */
export function findModel(folder: string): string {
  const found = models.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (found) return found
  throw new Error(`expected one of ${models.join(', ')} in ${folder}; call the file with your model so`)
}

/** Throws Error for a file that is no model or does not exist. */
export function launchOf(model: string, { python = 'python3' }: { python?: string | undefined } = {}): Launch {
  if (!existsSync(model)) throw new Error(`there is no ${model}`)
  const cwd = dirname(model)
  const inherited = inheritedEnvironment()
  switch (extname(model)) {
    case '.py': {
      const path = [pythonPackage, inherited.PYTHONPATH].filter(Boolean).join(delimiter)
      return {
        command: python,
        args: ['-u', '-m', 'origami.worker', model],
        cwd,
        env: { ...inherited, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' },
      }
    }
    case '.ts':
    case '.mts':
    case '.js':
    case '.mjs':
      return {
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', nodeWorker, model],
        cwd,
        env: inherited,
      }
    default:
      throw new Error(`expected a model in Python (.py) or TypeScript (.ts), got ${model}`)
  }
}
