import { setTimeout } from 'node:timers/promises'
import { logged } from './logged.ts'

/** Does the work again and again until the signal aborts. The wait between is read anew each time; what the work throws is logged. */
export async function repeat(
  what: string,
  betweenMs: () => number,
  work: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (await waited(betweenMs(), signal)) await logged(what, work)
}

/** False: the signal aborted first. */
export async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined) // Rejects only when the signal aborts.
  return !signal.aborted
}
