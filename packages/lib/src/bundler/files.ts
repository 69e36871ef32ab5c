import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { z } from 'zod'

/** `origami/files.json` says what we wrote, so that a change by hand is seen. */
const record = 'origami/files.json'
const recordSchema = z.record(z.string(), z.string())

/** What a bundle is to hold: bytes by path. */
export type Contents = ReadonlyMap<string, string | Uint8Array>

/**
 * Writes files into a bundle. One that a person changed since we wrote it, or wrote before us, is kept unless `force`.
 * Vendored files that are no longer wanted are removed. Returns the paths that were kept.
 */
export async function writeBundle(folder: string, contents: Contents, force: boolean): Promise<string[]> {
  const before = await writtenBefore(folder)
  const preserved: string[] = []
  const hashes: Record<string, string> = {}
  for (const [path, content] of contents) {
    const there = await readFile(join(folder, path)).catch(() => undefined) // Not there: it is written.
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
 * The hashes of what we wrote, by path. Nothing where the record is missing or broken, as by a merge: what differs then
 * counts as changed by hand.
 */
async function writtenBefore(folder: string): Promise<Record<string, string>> {
  const text = await readFile(join(folder, record), 'utf8').catch(() => '{}')
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    return {} // Nothing is lost by it: whatever is not known to be ours is kept.
  }
}

const hashOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')
