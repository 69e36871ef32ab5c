import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Instance } from '../engine.ts'

const pollMs = 100

/**
 * Yields what `find` returns, and again at each change. Ends when `find` returns undefined or the signal aborts. It
 * polls, because one look reads only a few local files.
 */
export async function* changesOf(
  find: () => Promise<Instance | undefined>,
  signal: AbortSignal,
): AsyncIterable<Instance> {
  let before: Instance | undefined
  while (!signal.aborted) {
    const now = await find()
    if (!now) return
    if (!isDeepStrictEqual(now, before)) yield now
    before = now
    // An aborted wait rejects, and the loop ends by its condition.
    await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }
}
