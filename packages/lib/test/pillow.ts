import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

export interface Python extends AsyncDisposable {
  readonly program: string
}

/** A Python with Pillow: this machine's own, or one in a venv of the test's. */
export async function pythonWithPillow(): Promise<Python> {
  const { exitCode } = await execa('python3', ['-c', 'import PIL.Image'], { reject: false })
  if (exitCode === 0) return { program: 'python3', async [Symbol.asyncDispose]() {} }
  const folder = await mkdtemp(join(tmpdir(), 'origami-pillow-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    await execa('python3', ['-m', 'venv', folder])
    await execa(join(folder, 'bin/pip'), ['install', '--disable-pip-version-check', 'pillow==13.0.0'])
  } catch (error) {
    await dispose()
    throw error
  }
  return { program: join(folder, 'bin/python'), [Symbol.asyncDispose]: dispose }
}
