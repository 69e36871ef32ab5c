import { setTimeout } from 'node:timers/promises'

/** False: the signal aborted first. */
export async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined) // Rejects only when the signal aborts.
  return !signal.aborted
}
