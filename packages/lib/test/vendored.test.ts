import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { expect, it } from 'vitest'

const vendor = join(import.meta.dirname, '../dist/vendor')
const scripts = ['.mjs', '.js', '.cjs']
/** How compiled code comes into a Node process, and the packages of ours that bring it. */
const native = /process\.dlopen|better-sqlite3|node-gyp-build|\.node['"`]/

it('the runtime that bundles carry holds no compiled code: it starts on every machine that has Node', async () => {
  const names = await readdir(vendor, { recursive: true })
  const server = names.filter((name) => scripts.includes(extname(name)) && !name.startsWith('page/'))
  expect(server.length).toBeGreaterThan(1)
  expect(names.filter((name) => ['.node', '.so', '.wasm'].includes(extname(name)))).toEqual([])
  for (const name of server) expect(native.exec(await readFile(join(vendor, name), 'utf8'))?.[0], name).toBeUndefined()
})
