import { cp, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'vite'
import { isFresh, type Product, products, stampOf, writeStamp } from './products.mjs'

const root = join(import.meta.dirname, '..')
const vendor = join(root, 'packages/lib/dist/vendor')

/** What is done after a product was built. */
const after: Partial<Record<Product['name'], () => Promise<void>>> = {
  runtime: vendorRuntime,
  command: completeCommand,
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help)
    console.log(
      'npm run build [-- --force]\nBuilds the pages, the runtime that bundles carry, and the command. Skips what has not changed.',
    )
  else await buildAll({ force: values.force ?? false, only: positionals })
}

/** Builds what has changed since the last build. `only` names products; without names it is all of them. */
export async function buildAll({ force = false, quiet = false, only = [] as readonly string[] } = {}): Promise<void> {
  for (const product of products) {
    const { name, config, from } = product
    if (only.length > 0 && !only.includes(name)) continue
    if (!force && isFresh(product)) continue
    if (!quiet) console.error(`Building the ${name}…`)
    const stamp = stampOf(from)
    await build({ configFile: join(root, config), logLevel: 'warn' })
    await after[name]?.()
    writeStamp(name, stamp)
  }
}

/** Copies the page and the Python package beside the server, where a bundle contains them. */
async function vendorRuntime(): Promise<void> {
  const notCompiled = { recursive: true, filter: (path: string) => !path.includes('__pycache__') }
  await rm(join(vendor, 'page'), { recursive: true, force: true })
  await rm(join(vendor, 'python'), { recursive: true, force: true })
  await cp(join(root, 'packages/demo-ui/dist/page'), join(vendor, 'page'), { recursive: true })
  await cp(join(root, 'packages/lib/python/origami'), join(vendor, 'python/origami'), notCompiled)
}

/** The files that the command takes from beside itself: the shim, and what a bundle carries. */
async function completeCommand(): Promise<void> {
  const command = join(root, 'packages/cli/dist')
  await cp(join(root, 'packages/daemon/src/engine/process/shim.sh'), join(command, 'shim.sh'))
  await symlink('../../lib/dist/vendor', join(command, 'vendor'))
}
