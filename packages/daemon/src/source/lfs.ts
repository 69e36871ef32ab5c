import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { shown } from './listing.ts'
import { SourceError } from './source.ts'

/** What stands in a repository for a large file. */
export interface LfsPointer {
  readonly path: string
  /** The SHA-256 of the file. */
  readonly oid: string
  readonly bytes: number
}

const shownPointers = 3

/** The pointers of Git LFS among files of a tree. Source: github.com/git-lfs/git-lfs, docs/spec.md. */
export async function lfsPointers(root: string, paths: readonly string[]): Promise<LfsPointer[]> {
  const pointers: LfsPointer[] = []
  for (const path of paths) {
    const text = await readFile(join(root, path), 'latin1')
    const isPointer = text.startsWith('version https://git-lfs.github.com/spec/')
    const [, oid] = /^oid sha256:([0-9a-f]{64})$/m.exec(text) ?? []
    const [, size] = /^size ([0-9]{1,15})$/m.exec(text) ?? []
    if (isPointer && oid !== undefined && size !== undefined) pointers.push({ path, oid, bytes: Number(size) })
  }
  return pointers
}

/** Throws SourceError that says what to do, if there are any. */
export function refusePointers(pointers: readonly LfsPointer[]): void {
  if (pointers.length === 0) return
  const names = pointers.slice(0, shownPointers).map(({ path }) => shown(path))
  const more = pointers.length > shownPointers ? ` and ${pointers.length - shownPointers} more` : ''
  throw new SourceError(
    `${names.join(', ')}${more}: only pointers of Git LFS are here, not the files, which are not fetched; ` +
      'commit the files themselves (`git lfs migrate export --include="*"`), or download them in the Dockerfile',
  )
}
