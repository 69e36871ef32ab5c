import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

/** What a folder with a model needs of this machine's Python, and lacks: nothing for TypeScript, a venv where there are requirements. */
export async function pythonForDemos(): Promise<{ lackedBy(folder: string): string | undefined }> {
  const [python, venv, uv] = await Promise.all([
    works('python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']),
    works('python3', ['-c', 'import venv, ensurepip']),
    works('uv', ['--version']),
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

async function works(program: string, args: string[]): Promise<boolean> {
  return (await execa(program, args, { reject: false })).exitCode === 0
}
