import { logged } from '../logged.ts'
import { waited } from '../waited.ts'

/** Repeats the work until the signal aborts. The wait is read anew each time. Errors of the work are logged. */
export async function repeat(
  what: string,
  betweenMs: () => number,
  work: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (await waited(betweenMs(), signal)) await logged(what, work)
}
