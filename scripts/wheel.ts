import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { build } from 'vite'
import { buildAll } from './build.ts'

const root = join(import.meta.dirname, '..')
const lib = join(root, 'packages/lib')

if (import.meta.main) {
  if (process.argv.includes('--help'))
    console.log(
      'npm run wheel\nBuilds the Python package origami-lib, with the command `origami` and the runtime in it. Needs Python with venv.',
    )
  else console.log(await buildWheel())
}

/** Builds the wheel of `origami-lib`. Returns its path. */
export async function buildWheel(into = join(lib, 'dist')): Promise<string> {
  await buildAll()
  await build({ configFile: join(root, 'packages/cli/vite.config.ts'), logLevel: 'warn' })
  const work = await mkdtemp(join(tmpdir(), 'origami-wheel-'))
  try {
    const source = join(work, 'source')
    await cp(join(lib, 'python'), source, { recursive: true, filter: (path) => !path.includes('__pycache__') })
    await cp(join(lib, 'dist/command'), join(source, 'origami_command/node'), { recursive: true })
    await cp(join(lib, 'dist/vendor'), join(source, 'origami_command/node/vendor'), { recursive: true })
    await execa('python3', ['-m', 'venv', join(work, 'venv')])
    const pip = [
      '-m',
      'pip',
      '--disable-pip-version-check',
      '-q',
      'wheel',
      '--no-deps',
      '-w',
      join(work, 'out'),
      source,
    ]
    await execa(join(work, 'venv/bin/python'), pip, { stderr: 'inherit' })
    const [wheel = ''] = await readdir(join(work, 'out'))
    await mkdir(into, { recursive: true })
    await cp(join(work, 'out', wheel), join(into, wheel))
    return join(into, wheel)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
