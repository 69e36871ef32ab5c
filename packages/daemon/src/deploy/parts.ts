import type { SealedBox } from '@origami/host/sealed-box'
import type { ForgeEntry } from '@origami/protocol/control'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { BuildWatch } from '../disk/build-watch.ts'
import type { FreeSpace } from '../disk/free-space.ts'
import type { Engine } from '../engine/engine.ts'
import type { DemoLogs } from '../logs/demo-log.ts'
import type { LogPumps } from '../logs/log-pumps.ts'
import type { Source } from '../source/source.ts'
import type { Commits } from '../store/commits.ts'
import type { Db } from '../store/open.ts'
import type { StartSlots } from './start-slots.ts'
import type { Tasks } from './tasks.ts'

/** What deploys and upkeep need. */
export interface DeployParts {
  readonly db: Db
  readonly commits: Commits
  readonly engine: Engine
  readonly source: Source
  readonly logs: DemoLogs
  readonly pumps: LogPumps
  readonly tasks: Tasks
  readonly slots: StartSlots
  readonly space: Pick<FreeSpace, 'lackFor'>
  readonly builds: Pick<BuildWatch, 'during'>
  readonly vault: SealedBox
  readonly forges: readonly ForgeEntry[]
  readonly limits: Limits
  /** The folder for checkouts. Each attempt has a folder of its own in it. */
  readonly work: string
  /** The present time, as ISO 8601 in UTC. */
  readonly now: () => string
  readonly clock: () => number
  /** Requests a round of upkeep now. */
  readonly lookAfter: () => void
  /** Reports that rows changed: events, routes, places in the queue. */
  readonly changed: Changes
}
