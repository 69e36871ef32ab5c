import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'vite'

/** What is built, from which folders, and to which one. The order matters, because the runtime contains the page. */
const products = [
  { name: 'page', config: 'packages/demo-ui/vite.config.ts', from: ['packages/demo-ui', 'packages/protocol/src'] },
  {
    name: 'runtime',
    config: 'packages/lib/vite.config.ts',
    from: [
      'packages/lib/src',
      'packages/lib/python',
      'packages/lib/vite.config.ts',
      'packages/lib/bundled',
      'packages/serving/src',
      'packages/host/src',
      'packages/protocol/src',
      'packages/demo-ui',
    ],
    after: vendorRuntime,
  },
  {
    name: 'web',
    config: 'packages/web/vite.config.ts',
    from: [
      'packages/web/src/ui',
      'packages/web/src/page-paths.ts',
      'packages/web/vite.config.ts',
      'packages/demo-ui/src',
      'packages/protocol/src',
    ],
  },
] as const

const root = join(import.meta.dirname, '..')

if (import.meta.main) {
  const { values } = parseArgs({ options: { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
  if (values.help)
    console.log(
      'npm run build [-- --force]\nBuilds the pages and the runtime that bundles carry. Skips what has not changed.',
    )
  else await buildAll({ force: values.force ?? false })
}

/** Builds what has changed since the last build. */
export async function buildAll({ force = false, quiet = false } = {}): Promise<void> {
  for (const product of products) {
    const stamp = join(root, '.built', product.name)
    const hash = await hashOf(product.from)
    if (!force && (await readFile(stamp, 'utf8').catch(() => '')) === hash) continue
    if (!quiet) console.error(`Building the ${product.name}…`)
    await build({ configFile: join(root, product.config), logLevel: 'warn' })
    if ('after' in product) await product.after()
    await mkdir(join(root, '.built'), { recursive: true })
    await writeFile(stamp, hash)
  }
}

/** Copies the page and the Python package beside the server, where a bundle contains them. */
async function vendorRuntime(): Promise<void> {
  const vendor = join(root, 'packages/lib/dist/vendor')
  const notCompiled = { recursive: true, filter: (path: string) => !path.includes('__pycache__') }
  await rm(join(vendor, 'page'), { recursive: true, force: true })
  await rm(join(vendor, 'python'), { recursive: true, force: true })
  await cp(join(root, 'packages/demo-ui/dist/page'), join(vendor, 'page'), { recursive: true })
  await cp(join(root, 'packages/lib/python/origami'), join(vendor, 'python/origami'), notCompiled)
}

async function hashOf(places: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const place of ['package-lock.json', ...places]) {
    for (const file of await filesUnder(join(root, place)))
      hash.update(file.slice(root.length)).update(await readFile(file))
  }
  return hash.digest('hex')
}

async function filesUnder(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true, recursive: true }).catch(() => undefined)
  if (!entries) return [place]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(dist|node_modules|__pycache__|test)\//.test(path))
    .toSorted()
}
