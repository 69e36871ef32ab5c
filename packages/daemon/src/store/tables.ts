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

/** Times are ISO 8601 in UTC, and structures are JSON text. No column type exists in SQLite only. */
export interface Tables {
  demos: {
    id: DemoId
    user_id: string
    repolink: string
    /** What its owner wants. */
    want: 'on' | 'stopped'
    /** The deployment that answers, or would answer if its owner had not stopped the demo. */
    serving: DeploymentId | null
    runs: Generated<number>
    /** The bytes of its ended predictions that are measured. */
    kept_bytes: Generated<number>
    created_at: string
  }
  deployments: {
    id: DeploymentId
    demo_id: DemoId
    state: DeploymentState
    reason: string | null
    /** Increases with each attempt: a write of an earlier attempt changes no row. */
    attempt: Generated<number>
    commit_sha: string | null
    commit_message: string | null
    token: Uint8Array | null
    manifest: string | null
    image: ImageRef | null
    instance: InstanceId | null
    endpoint: string | null
    schema: string | null
    /** How far the instance's output has been copied to the log. */
    log_cursor: string | null
    log_tail: Generated<string>
    /** JSON. */
    base_images: Generated<string>
    steps: Generated<string>
    /** Only used before `crash_times` existed. */
    crashes: Generated<number>
    crashed_at: string | null
    /** When it crashed recently, as JSON. */
    crash_times: Generated<string>
    /** Since when its instance has answered READY without a break. */
    ready_at: string | null
    /** When it was found to have served well. */
    served_well: string | null
    /** How often in a row starting it again failed, and when the next try is. */
    tries: Generated<number>
    next_try_at: string | null
    /**
     * How often a starting daemon found it under way although no daemon had released it in an orderly exit. `let_go` is
     * 1 after such an exit.
     */
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
    /** The number of its last event. */
    last_seq: Generated<number>
    deployment: DeploymentId | null
    commit_sha: string | null
    created_at: string
    started_at: string | null
    completed_at: string | null
    /** The endpoint of the instance that may have it, written before the first try there. */
    sent_to: string | null
    /**
     * Its caller's address, as the web server reports it. Null: the visitor identifies the caller well enough, or the
     * address is unknown.
     */
    address: string | null
    cancel_requested_at: string | null
    /** When it is stopped, once it runs. */
    deadline_at: string | null
    /** What it keeps since its end, with its output files. Null: it is not measured yet. */
    bytes: number | null
  }
  /** Files that callers of a demo sent, for as long as uploads are kept. */
  uploads: {
    file: string
    demo_id: DemoId
    bytes: number
    at: string
  }
  /** The files that a prediction names. The rows are deleted with it. */
  prediction_files: {
    prediction: number
    side: 'input' | 'output'
    /** The file's id. */
    file: string
    ref: FileRef
  }
}

export type DemoRow = Selectable<Tables['demos']>
/** A row of the table. The store returns a `Deployment` made from it. */
export type StoredDeployment = Selectable<Tables['deployments']>
/** The JSON columns of the table, parsed. */
export interface DeploymentDocuments {
  /** The states it went through, oldest first. */
  steps: Deployment['steps']
  log_tail: readonly string[]
  base_images: readonly string[]
  crash_times: readonly string[]
  /** Has all defaults until the manifest is known. Undefined: what is stored cannot be read. */
  manifest: Manifest | undefined
  /** Undefined: the version was never live, or what is stored cannot be read. */
  schema: DemoSchema | undefined
}
export type PredictionRow = Selectable<Tables['predictions']>
