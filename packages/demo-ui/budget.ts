import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** What the page loads before first use must stay below this: script and style, gzipped. */
const limit = 180 * 1000

interface Chunk {
  file: string
  css?: string[]
  imports?: string[]
  isEntry?: boolean
}

const built = join(import.meta.dirname, 'dist/page')
const manifest = JSON.parse(await readFile(join(built, 'manifest.json'), 'utf8')) as Record<string, Chunk>
const files = new Set<string>()
const visit = (name: string) => {
  const chunk = manifest[name]
  if (!chunk || files.has(chunk.file)) return
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file)
  for (const next of chunk.imports ?? []) visit(next)
}
for (const [name, chunk] of Object.entries(manifest)) if (chunk.isEntry) visit(name)

let total = 0
for (const file of files) {
  const bytes = gzipSync(await readFile(join(built, file))).length
  total += bytes
  console.log(`${String(bytes).padStart(8)}  ${file}`)
}
console.log(`${String(total).padStart(8)}  of ${limit} bytes`)
if (total > limit) process.exitCode = 1
