import { notReached } from '../store/deployments.ts'
import type { DeployParts } from './parts.ts'

/**
 * What is noted of a version that should serve and could not be started: `tries` times in a row now, and when the next
 * try is, after longer and longer waits. `waitMs`: where another wait than that fits. `why`: what the last try met, for
 * people.
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
