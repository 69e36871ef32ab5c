import type { FolderFiles } from '@origami/serving'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { DemoLifecycle } from '../deploy/demo-lifecycle.ts'
import type { Engine } from '../engine/engine.ts'
import type { DemoLogs } from '../logs/demo-log.ts'
import type { Queue } from '../predictions/queue.ts'
import type { Commits } from '../store/commits.ts'
import type { Db } from '../store/open.ts'

/** What the routes need. */
export interface ApiParts {
  readonly db: Db
  readonly commits: Commits
  readonly lifecycle: DemoLifecycle
  readonly queue: Queue
  readonly files: FolderFiles
  readonly logs: DemoLogs
  readonly changed: Changes
  readonly limits: Limits
  /** The present time, as ISO 8601 in UTC. */
  readonly now: () => string
  readonly engine: Pick<Engine, 'name' | 'unisolated'>
}
