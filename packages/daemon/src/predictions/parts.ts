import type { DeploymentId } from '@origami/protocol/demo'
import type { FolderFiles, HttpPredictor } from '@origami/serving'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { Db } from '../store/open.ts'
import type { LiveRuns } from './live-runs.ts'
import type { Places } from './places.ts'

/** What the queue works with. */
export interface QueueParts {
  readonly db: Db
  readonly files: FolderFiles
  readonly limits: Limits
  readonly now: () => string
  readonly changed: Changes
  readonly live: LiveRuns
  readonly places: Places
}

/**
 * What the queue found wrong with an instance: it takes nothing, or, as a visitor may bring about, has no room though
 * nothing runs in it, or runs on what it was told to end.
 */
export type InstanceFault = RefusalFault | 'runs on'
export type RefusalFault = 'takes nothing' | 'has no room'
export type LookAt = (deployment: DeploymentId, fault: InstanceFault) => void

/** What sending works with. */
export interface DispatcherParts extends QueueParts {
  /** How an instance is reached. */
  readonly reach: (endpoint: string) => HttpPredictor
  /** Somebody should look whether the instance of this deployment is well. */
  readonly lookAt?: LookAt
  /** Milliseconds by a clock that is never set back, for pauses; the process's own where there is none. */
  readonly clockMs?: () => number
}
