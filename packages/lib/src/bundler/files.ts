import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { z } from 'zod'

/** This file stores the hashes of what was written, so that a change by hand is noticed. */
const record = 'origami/files.json'
const recordSchema = z.record(z.string(), z.string())

/** The contents of a bundle: bytes by path. */
export type Contents = ReadonlyMap<string, string | Uint8Array>

/**
 * Writes files into a bundle. A file that a person changed after it was written, or wrote before, is kept unless
 * `force`. Vendored files that are no longer needed are removed. Returns the paths that were kept.
 */
export async function writeBundle(folder: string, contents: Contents, force: boolean): Promise<string[]> {
  const before = await writtenBefore(folder)
  const preserved: string[] = []
  const hashes: Record<string, string> = {}
  for (const [path, content] of contents) {
    const there = await readFile(join(folder, path)).catch(() => undefined) // A missing file is written.
    const wanted = hashOf(content)
    const byHand = there !== undefined && hashOf(there) !== before[path] && hashOf(there) !== wanted
    if (byHand && !force) {
      preserved.push(path)
      if (before[path]) hashes[path] = before[path]
      continue
    }
    hashes[path] = wanted
    if (there && hashOf(there) === wanted) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  for (const path of Object.keys(before))
    if (posix.normalize(path).startsWith('origami/') && !contents.has(path))
      await rm(join(folder, path), { force: true })
  await mkdir(join(folder, 'origami'), { recursive: true })
  await writeFile(
    join(folder, record),
    `${JSON.stringify(Object.fromEntries(Object.entries(hashes).toSorted()), null, 2)}\n`,
  )
  return preserved
}

/**
 * The hashes of what was written before, by path. When the record is missing or broken, by a merge for example, it is
 * empty, and every file that differs counts as changed by hand.
 */
async function writtenBefore(folder: string): Promise<Record<string, string>> {
  // A folder without a record was not bundled before.
  const text = await readFile(join(folder, record), 'utf8').catch(() => '{}')
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    return {} // This is safe: files without a hash are kept.
  }
}

const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
