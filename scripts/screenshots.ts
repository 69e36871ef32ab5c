import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

const root = join(import.meta.dirname, '..')

if (process.argv.includes('--help'))
  console.log(
    'npm run screenshots\nDeploys examples/digits with docker, draws a seven in Chromium, and keeps the picture for the README.',
  )
else {
  await execa(process.execPath, ['scripts/test.ts', 'tests/path.browser.docker.test.ts'], {
    cwd: root,
    stdio: 'inherit',
    env: { ORIGAMI_PICTURES: '1' },
  })
  await mkdir(join(root, 'docs/pictures'), { recursive: true })
  await copyFile(join(root, 'tests/pictures/digits.png'), join(root, 'docs/pictures/digits.png'))
}
