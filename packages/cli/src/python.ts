import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { programWorks } from '@origami/host/program-works'

/**
 * Finds out what a folder with a model needs of this machine's Python and does not find: nothing for TypeScript, a venv
 * when there are requirements.
 */
export async function pythonForDemos(): Promise<{ lackedBy(folder: string): string | undefined }> {
  const [python, venv, uv] = await Promise.all([
    programWorks('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']),
    programWorks('python3', ['-c', 'import venv, ensurepip']),
    programWorks('uv', ['--version']),
  ])
  return {
    lackedBy(folder) {
      if (!existsSync(join(folder, 'model.py'))) return undefined
      if (!python) return 'Python 3.10 or newer (python3)'
      if (existsSync(join(folder, 'requirements.txt')) && !venv && !uv)
        return "Python's venv (Debian: apt-get install python3-venv) or uv"
      return undefined
    },
  }
}
