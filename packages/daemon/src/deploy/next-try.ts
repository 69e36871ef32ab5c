import { notReached } from '../store/deployments.ts'
import type { DeployParts } from './parts.ts'

/**
 * What is stored for a version that should serve and could not be started: that it failed `tries` times in a row, and
 * when the next try is. The waits grow. `waitMs` replaces the usual wait. `why` says, for people, how the last try
 * failed.
 */
export function nextTry(
  { limits, clock }: Pick<DeployParts, 'limits' | 'clock'>,
  tries: number,
  why: string,
  waitMs?: number,
) {
  const { reviveAfterMs } = limits
  const wait = waitMs ?? reviveAfterMs[Math.min(tries, reviveAfterMs.length) - 1] ?? 0
  const next_try_at = new Date(clock() + wait).toISOString()
  const reason = `It could not be started again: ${why}. It is tried again at ${next_try_at}`
  return { tries, next_try_at, reason, ...notReached }
}
