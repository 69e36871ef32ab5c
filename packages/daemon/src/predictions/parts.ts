import type { FolderFiles, HttpPredictor } from '@origami/serving'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { Db } from '../store/open.ts'
import type { LiveRuns } from './live-runs.ts'

/** What the queue works with. */
export interface QueueParts {
  readonly db: Db
  readonly files: FolderFiles
  readonly limits: Limits
  readonly now: () => string
  readonly changed: Changes
  readonly live: LiveRuns
}

/** What sending works with. */
export interface DispatcherParts extends QueueParts {
  /** How an instance is reached. */
  readonly reach: (endpoint: string) => HttpPredictor
}
