import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The files that `npm run build` made. `npm test` builds first. */
const packages = join(import.meta.dirname, '../..')

test.each([
  ["a runtime's", 'demo-ui/dist/page/assets'],
  ["the web server's", 'web/dist/ui/assets'],
])('%s pages take functions and types from the protocol, and not what parses it', async (_whose, folder) => {
  const scripts = (await readdir(join(packages, folder))).filter((name) => name.endsWith('.js'))
  expect(scripts.length).toBeGreaterThan(0)
  for (const name of scripts) expect(await readFile(join(packages, folder, name), 'utf8'), name).not.toContain('_zod')
})
