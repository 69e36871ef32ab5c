import type { DeploymentState, FailedState, Deployment as ShownDeployment } from '@origami/protocol/control'
import type { DemoId, DemoSchema, DeploymentId, Manifest } from '@origami/protocol/demo'
import type { ImageRef, InstanceId } from '../engine/engine.ts'

/** A deployment as the store returns it. Fields that belong to one state exist in that state only. */
export type Deployment =
  | QueuedDeployment
  | CloningDeployment
  | BuildingDeployment
  | StartingDeployment
  | CheckedDeployment
  | RunningDeployment
  | DrainingDeployment
  | StoppedDeployment
  | RetiredDeployment
  | SupersededDeployment
  | FailedDeployment

/** A deployment in one of these states. */
export type DeploymentIn<State extends DeploymentState> = Deployment & { readonly state: State }

/** Identifies one attempt: enough to write to a deployment, or to read it again. */
export type Attempt = Pick<Deployment, 'id' | 'demo_id' | 'attempt'>

/** The last stored instance. Whether it still exists is known to the engine only. */
export interface NotedInstance {
  readonly id: InstanceId
  /**
   * Where it answers. Null: it has not answered yet, or it is held because it was stopped, is being restarted, or was
   * lost.
   */
  readonly reached: {
    readonly endpoint: string
    /** Since when it has answered READY without a break. Null: it does not answer READY now. */
    readonly ready_at: string | null
  } | null
}

interface DeploymentBase {
  readonly id: DeploymentId
  readonly demo_id: DemoId
  /** Increases with each attempt: a write of an earlier attempt changes no row. */
  readonly attempt: number
  /** Null until it is resolved. Its message is known after the fetch. */
  readonly commit: { readonly sha: string; readonly message: string | null } | null
  /** Has all defaults until the manifest is known. Undefined: what is stored cannot be read. */
  readonly manifest: Manifest | undefined
  /** The schema of a version that is live or was. Undefined: it was never live, or what is stored cannot be read. */
  readonly schema: DemoSchema | undefined
  /** The states it went through, oldest first. */
  readonly steps: ShownDeployment['steps']
  /** How far its instance's output has been copied to the log. */
  readonly log_cursor: string | null
  readonly log_tail: readonly string[]
  /** The images that it was built on, each with the id or digest that it had then. */
  readonly base_images: readonly string[]
  /** When it was found to have served well. */
  readonly served_well: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** Waits for its turn: for the first time, after an interruption, or to be started from its image. */
export interface QueuedDeployment extends DeploymentBase {
  readonly state: 'queued'
  /** Why it cannot begin. Null: it only waits for its turn. */
  readonly reason: string | null
  readonly image: ImageRef | null
  /** The instance of an interrupted attempt. */
  readonly instance: NotedInstance | null
  /** The encrypted token for the clone. */
  readonly token: Uint8Array | null
  /** The deadline of the interrupted step. */
  readonly deadline_at: string | null
  /** How often the daemon died while it was under way. */
  readonly interruptions: number
}

interface ActiveDeployment extends DeploymentBase {
  readonly reason: null
  readonly deadline_at: string | null
  /** How often a starting daemon found it under way although no daemon had released it in an orderly exit. */
  readonly interruptions: number
  readonly let_go: boolean
}

interface CloningDeployment extends ActiveDeployment {
  readonly state: 'cloning' | 'validating'
  readonly image: null
  readonly instance: null
}

interface BuildingDeployment extends ActiveDeployment {
  readonly state: 'building'
  /** Known once it is built. */
  readonly image: ImageRef | null
  readonly instance: null
}

interface StartingDeployment extends ActiveDeployment {
  readonly state: 'starting'
  readonly image: ImageRef
  /** The instance that is starting, or that an earlier attempt left. */
  readonly instance: NotedInstance | null
}

/** Its health is being checked, or the route is being switched to it. */
interface CheckedDeployment extends ActiveDeployment {
  readonly state: 'health_checking' | 'switching'
  readonly image: ImageRef
  readonly instance: NotedInstance
}

/** Should serve. It serves while its instance is reached, and is held otherwise. */
export interface RunningDeployment extends DeploymentBase {
  readonly state: 'running'
  /** Why it waits for its next try, or why it serves again. */
  readonly reason: string | null
  readonly image: ImageRef
  /** Null: it is to be started again. */
  readonly instance: NotedInstance | null
  /** When it crashed recently. */
  readonly crash_times: readonly string[]
  /** How often in a row starting it again failed, and when the next try is. */
  readonly put_off: { readonly tries: number; readonly until: string } | null
}

/** Lets its running predictions end, since a newer version serves. */
export interface DrainingDeployment extends DeploymentBase {
  readonly state: 'draining'
  readonly reason: null
  readonly image: ImageRef
  readonly instance: NotedInstance | null
}

interface EndedDeployment extends DeploymentBase {
  /** Null: it was removed, or never built. */
  readonly image: ImageRef | null
  readonly instance: null
}

/** Stopped by its owner, or for a newer request while it serves. */
interface StoppedDeployment extends EndedDeployment {
  readonly state: 'stopped'
  readonly reason: null
}

export interface RetiredDeployment extends EndedDeployment {
  readonly state: 'retired'
  /** Why it could not be started any more, when a newer version replaced it. */
  readonly reason: string | null
}

interface SupersededDeployment extends EndedDeployment {
  readonly state: 'superseded'
  readonly reason: string
  readonly superseded_by: DeploymentId
}

/** Ended by a failure or by a cancel, with the reason. */
interface FailedDeployment extends EndedDeployment {
  readonly state: FailedState | 'canceled'
  readonly reason: string
}
