import { setTimeout } from 'node:timers/promises'

/** Waits. False: the signal aborted first. */
export async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined) // It rejects only when the signal aborts.
  return !signal.aborted
}
