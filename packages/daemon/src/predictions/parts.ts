import type { DeploymentId } from '@origami/protocol/demo'
import type { FolderFiles, HttpPredictor } from '@origami/serving'
import type { Changes } from '../changes.ts'
import type { Limits } from '../config.ts'
import type { FreeSpace } from '../disk/free-space.ts'
import type { Engine } from '../engine/engine.ts'
import type { Commits } from '../store/commits.ts'
import type { Db } from '../store/open.ts'
import type { OpenPrediction } from '../store/open-predictions.ts'
import type { KnownDemos } from './known-demos.ts'
import type { LiveRuns } from './live-runs.ts'
import type { OpenPredictions, StoredInput } from './open-predictions.ts'
import type { Places } from './places.ts'
import type { RunTimes } from './run-times.ts'
import type { Turns } from './turns/turns.ts'
import type { UploadCounts } from './upload-counts.ts'

/** What the queue needs. */
export interface QueueParts {
  readonly db: Db
  readonly commits: Commits
  readonly files: FolderFiles
  readonly limits: Limits
  readonly now: () => string
  readonly changed: Changes
  readonly live: LiveRuns
  readonly demos: KnownDemos
  readonly open: OpenPredictions
  readonly places: Places
  readonly times: RunTimes
  readonly turns: Turns
  /** Says whether there is room for what arrives. Without it there always is. */
  readonly space?: Pick<FreeSpace, 'lackFor'>
  readonly uploads?: UploadCounts
}

/** A prediction on its way to an instance, with its input. What its row says is changed in it as well. */
export interface SentPrediction extends OpenPrediction, StoredInput {}

/**
 * What the queue found wrong with an instance: it accepts nothing; it has no room although nothing runs in it, which
 * visitors can cause; or it continues what it was told to end.
 */
export type InstanceFault = RefusalFault | 'runs on'
export type RefusalFault = 'takes nothing' | 'has no room'
export type LookAt = (deployment: DeploymentId, fault: InstanceFault) => void

/** What sending predictions needs. */
export interface DispatcherParts extends QueueParts {
  /** Makes the client for an instance's endpoint. */
  readonly reach: (endpoint: string) => HttpPredictor
  /** How many predictions the instance at this endpoint takes beyond those that it runs. Without it none are sent. */
  readonly ahead?: (endpoint: string) => number
  /** Asks for a check of the instance of this deployment. */
  readonly lookAt?: LookAt
  /** Knows the folders of inputs. Without it instances get their inputs over HTTP. */
  readonly engine?: Pick<Engine, 'inputFolder'>
  /** Milliseconds by a clock that is never set back, for pauses. The default is the process's own clock. */
  readonly clockMs?: () => number
}
