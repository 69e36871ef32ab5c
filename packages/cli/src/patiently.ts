import pRetry from 'p-retry'
import { Unreachable } from './failure.ts'

const patienceMs = 60_000

/**
 * Repeats a request with growing waits, for a minute, while a server that has answered before is away. Then throws
 * Unreachable.
 */
export async function patiently<Answer>(ask: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
  return pRetry(ask, {
    retries: Number.POSITIVE_INFINITY,
    maxRetryTime: patienceMs,
    minTimeout: 250,
    maxTimeout: 5000,
    shouldRetry: ({ error }) => error instanceof Unreachable,
    ...(signal ? { signal } : {}),
  })
}
