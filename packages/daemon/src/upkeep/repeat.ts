import { logged } from '../logged.ts'
import { waited } from '../waited.ts'

/**
 * Does the work again and again until the signal aborts. The wait between is read anew each time; what the work throws
 * is logged.
 */
export async function repeat(
  what: string,
  betweenMs: () => number,
  work: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (await waited(betweenMs(), signal)) await logged(what, work)
}
