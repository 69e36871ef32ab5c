import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Instance } from '../engine.ts'

const pollMs = 100

/**
 * What `find` finds, then at each change. Ends when it finds nothing, or the signal aborts. A look is a few files of
 * this machine.
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
    // It rejects when the signal aborts, which ends the loop.
    await setTimeout(pollMs, undefined, { signal }).catch(() => undefined)
  }
}
