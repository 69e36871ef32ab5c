import type { Deployment, DeploymentState } from '@origami/protocol/control'
import type {
  DemoId,
  DemoSchema,
  DeploymentId,
  FailureReason,
  FileRef,
  Manifest,
  PredictionId,
  PredictionStatus,
  VisitorId,
} from '@origami/protocol/demo'
import type { Generated, Selectable } from 'kysely'
import type { ImageRef, InstanceId } from '../engine/engine.ts'

/** Times are ISO 8601 in UTC; structures are JSON as text. Portable: no type that only SQLite has. */
export interface Tables {
  demos: {
    id: DemoId
    user_id: string
    repolink: string
    /** What its owner wants. */
    want: 'on' | 'stopped'
    /** The deployment that answers, or would if it were on. */
    serving: DeploymentId | null
    runs: Generated<number>
    created_at: string
  }
  deployments: {
    id: DeploymentId
    demo_id: DemoId
    state: DeploymentState
    reason: string | null
    /** Counts who works on it: a write of an earlier one changes no row. */
    attempt: Generated<number>
    commit_sha: string | null
    commit_message: string | null
    token: Uint8Array | null
    manifest: string | null
    image: ImageRef | null
    instance: InstanceId | null
    endpoint: string | null
    schema: string | null
    /** How far the instance's output is in the log. */
    log_cursor: string | null
    log_tail: Generated<string>
    steps: Generated<string>
    /** Of before `crash_times`. */
    crashes: Generated<number>
    crashed_at: string | null
    /** When it crashed lately, as JSON. */
    crash_times: Generated<string>
    /** Since when its instance answers READY without a break. */
    ready_at: string | null
    /** When it was found to have served well. */
    served_well: string | null
    /** Failed tries in a row to start it again, and when the next one is. */
    tries: Generated<number>
    next_try_at: string | null
    /** Boots of the daemon that found it under way though nobody had let it go (1) in peace. */
    interruptions: Generated<number>
    let_go: Generated<number>
    superseded_by: DeploymentId | null
    created_at: string
    updated_at: string
    deadline_at: string | null
  }
  events: {
    seq: Generated<number>
    demo: DemoId
    deployment: DeploymentId | null
    from_state: string | null
    to_state: string
    reason: string | null
    at: string
  }
  predictions: {
    /** Order of arrival. */
    arrival: Generated<number>
    id: PredictionId
    demo_id: DemoId
    visitor: VisitorId | null
    status: PredictionStatus
    input: string
    output: string | null
    error: string | null
    reason: FailureReason | null
    logs: Generated<string>
    predict_time: number | null
    /** Number of its last event. */
    last_seq: Generated<number>
    deployment: DeploymentId | null
    commit_sha: string | null
    created_at: string
    started_at: string | null
    completed_at: string | null
    /** The endpoint of the instance that may have it, written before the first try there. */
    sent_to: string | null
    /** Where its caller is, as the web server says; null: its visitor says enough, or nobody knows. */
    address: string | null
    cancel_requested_at: string | null
    /** When it ends by itself, once it runs. */
    deadline_at: string | null
  }
  /** The files that a prediction names; they go with it. */
  prediction_files: {
    prediction: number
    side: 'input' | 'output'
    /** The file's id. */
    file: string
    ref: FileRef
  }
}

export type DemoRow = Selectable<Tables['demos']>
/** A deployment as the table has it; what the store hands out of it is a `Deployment`. */
export type StoredDeployment = Selectable<Tables['deployments']>
/** What is JSON in the table, as it is read. */
export interface DeploymentDocuments {
  /** The states it went through, oldest first. */
  steps: Deployment['steps']
  log_tail: readonly string[]
  crash_times: readonly string[]
  /** All defaults until it is known. Undefined: what is stored cannot be read. */
  manifest: Manifest | undefined
  /** Undefined: it was not live yet, or what is stored cannot be read. */
  schema: DemoSchema | undefined
}
export type PredictionRow = Selectable<Tables['predictions']>
