import { isDeepStrictEqual } from 'node:util'
import type { Instance } from '../engine.ts'
import { FolderChanges } from './folder-changes.ts'

/**
 * Yields what `find` returns, and again at each change. Ends when `find` returns undefined or the signal aborts.
 * `folder` is the instance's, which changes with it; what it prints changes nothing.
 */
export async function* changesOf(
  folder: string,
  find: () => Promise<Instance | undefined>,
  signal: AbortSignal,
): AsyncIterable<Instance> {
  using changes = new FolderChanges((name) => !name.startsWith('output-'))
  let before: Instance | undefined
  while (!signal.aborted) {
    const seen = changes.watch([folder])
    const now = await find()
    if (!now) return
    if (!isDeepStrictEqual(now, before)) yield now
    before = now
    await changes.after(seen, signal)
  }
}
