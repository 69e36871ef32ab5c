import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { shown } from './listing.ts'
import { SourceError } from './source.ts'

/** As many as the kernel follows. */
const mostLinks = 40
/** What all links of a repository may take together. */
const mostSteps = 200_000

/**
 * Refuses links that lead out of a tree, also by way of another link: each is followed as the kernel does, name by
 * name. `paths` are all links of the tree. Throws SourceError.
 */
export async function refuseLinksOut(root: string, paths: readonly string[]): Promise<void> {
  const targets = new Map<string, string>()
  for (const path of paths) targets.set(path, await readlink(join(root, path)))
  const steps = { left: mostSteps }
  for (const path of paths)
    if (leadsOut(path, targets, steps))
      throw new SourceError(`${shown(path)} is a link that leads out of the repository`)
}

/** `targets`: where each link of the tree points to, by its path. Throws SourceError. */
export function leadsOut(path: string, targets: ReadonlyMap<string, string>, steps = { left: mostSteps }): boolean {
  const ahead = path.split('/').toReversed()
  const at: string[] = []
  let followed = 0
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    steps.left -= 1
    if (steps.left < 0) throw new SourceError('the repository has too many links, or links that are too long')
    if (name === '' || name === '.') continue
    if (name === '..') {
      if (at.pop() === undefined) return true
      continue
    }
    const target = targets.get([...at, name].join('/'))
    if (target === undefined) at.push(name)
    else {
      if (target.startsWith('/')) return true
      followed += 1
      // The kernel gives up here, so nobody gets anywhere by it.
      if (followed > mostLinks) return false
      ahead.push(...target.split('/').toReversed())
    }
  }
  return false
}
