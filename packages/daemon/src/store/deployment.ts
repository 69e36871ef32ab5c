import type { DeploymentState, FailedState, Deployment as ShownDeployment } from '@origami/protocol/control'
import type { DemoId, DemoSchema, DeploymentId, Manifest } from '@origami/protocol/demo'
import type { ImageRef, InstanceId } from '../engine/engine.ts'

/** A deployment as the store hands it out: what belongs to a state is there in that state alone. */
export type Deployment =
  | Queued
  | Cloning
  | Building
  | Starting
  | Started
  | Running
  | Draining
  | Stopped
  | Retired
  | Superseded
  | Failed

/** A deployment in one of these states. */
export type DeploymentIn<State extends DeploymentState> = Deployment & { readonly state: State }

/** Whose attempt it is: enough to write on a deployment, or to read it again. */
export type Attempt = Pick<Deployment, 'id' | 'demo_id' | 'attempt'>

/** An instance as it was noted last; whether it is still there is the engine's to say. */
export interface NotedInstance {
  readonly id: InstanceId
  /** Where it answers. Null: it did not answer yet, or is held, since it is stopped, started again or was lost. */
  readonly reached: {
    readonly endpoint: string
    /** Since when it answers READY without a break. Null: it does not now. */
    readonly ready_at: string | null
  } | null
}

interface Common {
  readonly id: DeploymentId
  readonly demo_id: DemoId
  /** Counts who works on it: a write of an earlier one changes no row. */
  readonly attempt: number
  /** Null until it is resolved. Its message is known once it is fetched. */
  readonly commit: { readonly sha: string; readonly message: string | null } | null
  /** All defaults until it is known. Undefined: what is stored cannot be read. */
  readonly manifest: Manifest | undefined
  /** Of a version that is live, or was. Undefined: it was not yet, or what is stored cannot be read. */
  readonly schema: DemoSchema | undefined
  /** The states it went through, oldest first. */
  readonly steps: ShownDeployment['steps']
  /** How far the output of its instance is in the log. */
  readonly log_cursor: string | null
  readonly log_tail: readonly string[]
  /** When it was found to have served well. */
  readonly served_well: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** Waits for its turn: for the first time, after an interruption, or to be started from the image that it has. */
export interface Queued extends Common {
  readonly state: 'queued'
  readonly reason: null
  readonly image: ImageRef | null
  /** Of an attempt that was interrupted. */
  readonly instance: NotedInstance | null
  /** Sealed, for the clone. */
  readonly token: Uint8Array | null
  /** Of the step that was interrupted. */
  readonly deadline_at: string | null
}

interface Active extends Common {
  readonly reason: null
  readonly deadline_at: string | null
  /** Boots of the daemon that found it under way though nobody had let it go in peace. */
  readonly interruptions: number
  readonly let_go: boolean
}

interface Cloning extends Active {
  readonly state: 'cloning' | 'validating'
  readonly image: null
  readonly instance: null
}

interface Building extends Active {
  readonly state: 'building'
  /** From when it is built. */
  readonly image: ImageRef | null
  readonly instance: null
}

interface Starting extends Active {
  readonly state: 'starting'
  readonly image: ImageRef
  /** The one that starts, or what an earlier attempt left. */
  readonly instance: NotedInstance | null
}

/** Is asked for its health, or switched over to. */
interface Started extends Active {
  readonly state: 'health_checking' | 'switching'
  readonly image: ImageRef
  readonly instance: NotedInstance
}

/** Should serve. It does where its instance is reached; else it is held until it is. */
export interface Running extends Common {
  readonly state: 'running'
  /** Why it is put off, or serves again. */
  readonly reason: string | null
  readonly image: ImageRef
  /** Null: it is to be started again. */
  readonly instance: NotedInstance | null
  /** When it crashed lately. */
  readonly crash_times: readonly string[]
  /** Failed tries in a row to start it again, and when the next one is. */
  readonly put_off: { readonly tries: number; readonly until: string } | null
}

/** Lets end what runs in it, since a newer one serves. */
export interface Draining extends Common {
  readonly state: 'draining'
  readonly reason: null
  readonly image: ImageRef
  readonly instance: NotedInstance | null
}

interface Ended extends Common {
  /** Null: removed, or never built. */
  readonly image: ImageRef | null
  readonly instance: null
}

/** By its owner, or for a newer request while it serves. */
interface Stopped extends Ended {
  readonly state: 'stopped'
  readonly reason: null
}

export interface Retired extends Ended {
  readonly state: 'retired'
  /** Of what could not be started any more when a newer one took over. */
  readonly reason: string | null
}

interface Superseded extends Ended {
  readonly state: 'superseded'
  readonly reason: string
  readonly superseded_by: DeploymentId
}

/** Ended by itself or by a cancel, and says why. */
interface Failed extends Ended {
  readonly state: FailedState | 'canceled'
  readonly reason: string
}
