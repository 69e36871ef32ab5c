import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

// What is built in a checkout, and whether it is up to date. It is plain JavaScript, because it runs at each start of
// the command, and Node's reader of TypeScript takes 18 MB.

const root = join(import.meta.dirname, '..')

/** What is built, from which folders and files. The order matters, because the runtime contains the page. */
export const products = [
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
  {
    name: 'command',
    config: 'packages/cli/vite.command.ts',
    from: [
      'packages/cli/src',
      'packages/cli/vite.command.ts',
      'packages/daemon/src',
      'packages/web/src/server',
      'packages/web/src/page-paths.ts',
      'packages/lib/src',
      'packages/serving/src',
      'packages/host/src',
      'packages/protocol/src',
    ],
  },
]

/** Builds, in a process of its own, what has changed since the last build: bundlers keep much memory. */
export async function buildStale(names = products.map(({ name }) => name)) {
  const stale = products.filter((product) => names.includes(product.name) && !isFresh(product))
  if (stale.length === 0) return
  const program = [join(root, 'scripts/build.ts'), ...stale.map(({ name }) => name)]
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the build failed (${code}); what it says stands above`)
}

/** Whether a product was built from its sources as they are now. */
export function isFresh({ name, from }) {
  const { seen, hash } = readStamp(name)
  const files = sources(from)
  if (seen === seenOf(files)) return true
  // Files that were only touched, or checked out again, are the same.
  if (hash !== hashOf(files)) return false
  writeStamp(name, { seen: seenOf(files), hash })
  return true
}

/** What the sources below these folders are now. */
export function stampOf(from) {
  const files = sources(from)
  return { seen: seenOf(files), hash: hashOf(files) }
}

/** Remembers of which sources a product was built. */
export function writeStamp(name, stamp) {
  mkdirSync(join(root, '.built'), { recursive: true })
  writeFileSync(stampPath(name), JSON.stringify(stamp))
}

/** The files below these folders, with how they look from outside. */
function sources(from) {
  return ['package-lock.json', ...from]
    .flatMap((place) => filesUnder(join(root, place)))
    .map((path) => {
      const { size, mtimeMs } = statSync(path)
      return { path: relative(root, path), size, mtimeMs }
    })
}

const seenOf = (files) => digest(files.map(({ path, size, mtimeMs }) => `${path} ${size} ${mtimeMs}\n`))
const hashOf = (files) => digest(files.flatMap(({ path }) => [path, readFileSync(join(root, path))]))

function digest(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

const stampPath = (name) => join(root, '.built', `${name}.json`)

function readStamp(name) {
  try {
    return JSON.parse(readFileSync(stampPath(name), 'utf8'))
  } catch {
    // It was not built yet, or its build was interrupted.
    return {}
  }
}

const passedOver = ['dist', 'node_modules', '__pycache__', 'test']

function filesUnder(place) {
  if (!statSync(place).isDirectory()) return [place]
  return readdirSync(place, { withFileTypes: true })
    .filter(({ name }) => !passedOver.includes(name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(join(place, entry.name)) : [join(place, entry.name)]))
}
