import type { FolderFiles, HttpPredictor, Notice } from '@origami/serving'
import type { Limits } from '../config.ts'
import type { Db } from '../store/open.ts'
import type { LiveRuns } from './live-runs.ts'

/** What the queue works with. */
export interface QueueParts {
  readonly db: Db
  readonly files: FolderFiles
  readonly limits: Limits
  readonly now: () => string
  readonly changed: Notice
  readonly live: LiveRuns
}

/** What sending works with. */
export interface DispatcherParts extends QueueParts {
  /** How an instance is reached. */
  readonly reach: (endpoint: string) => HttpPredictor
}
