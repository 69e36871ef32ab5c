import type { DemoId, DeploymentId, Manifest } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import type { LogLine } from '../logs/log-line.ts'
import type { Guarantees } from './guarantees.ts'

declare const brand: unique symbol
/** What a build yields, as the engine names it: an image id, or a prepared folder. */
export type ImageRef = string & { readonly [brand]: 'ImageRef' }
/** One running copy of an image, as the engine names it. */
export type InstanceId = string & { readonly [brand]: 'InstanceId' }

/** Where to read an instance's log on from: opaque, made by `logs`. */
export type LogCursor = string

/** What an operator lets an engine do: read where it is used, since it may change. */
export type EngineLimits = Pick<Limits, 'engineMs' | 'killMs' | 'logLineBytes' | 'unreadLogBytes' | 'buildCacheBytes'>

export interface InstanceSpec {
  /** What the demo is called where its model does not say: the repository's name. */
  readonly name: string
  /** Bytes of one JSON body, and of one file, that it takes. */
  readonly bodyBytes: number
  readonly fileBytes: number
  /** Where the demo listens inside. */
  readonly port: number
  readonly memoryBytes: number
  readonly cpus: number
  /** Processes and threads. */
  readonly pids: number
}

export interface Instance {
  readonly id: InstanceId
  readonly demo: DemoId
  readonly deployment: DeploymentId
  readonly image: ImageRef
  /** `created`: made, but not (yet) started: its start failed, is under way, or its daemon died before it. */
  readonly state: 'created' | 'running' | 'exited'
  /** `http://127.0.0.1:port`, read anew each time; undefined until it listens, or once it exited. */
  readonly endpoint: string | undefined
  /** Of one that exited. */
  readonly exit?: InstanceExit
}

export interface Image {
  readonly ref: ImageRef
  readonly demo: DemoId
  readonly deployment: DeploymentId
}

export interface InstanceExit {
  readonly id: InstanceId
  readonly code: number | null
  readonly outOfMemory: boolean
  readonly at: Date
}

/** The bundle is at fault, before anything of it ran: no Dockerfile, no vendored runtime, … State `config_error`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** The build ran and failed; its log has the reason. State `build_failed`. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
}

/** Builds and runs demos. One implementation per place a demo can run. No vendor type crosses it. */
export interface Engine extends AsyncDisposable {
  readonly name: string
  readonly guarantees: Guarantees
  /** Checks that it can work at all (a Docker engine answers, …). Throws with what to do. */
  ready(signal: AbortSignal): Promise<void>
  /**
   * Idempotent by deployment: an image that an interrupted daemon built already is returned. Throws ConfigError |
   * BuildError.
   */
  build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef>
  /** Idempotent by deployment: an instance already made for it is returned. */
  start(request: StartRequest, signal: AbortSignal): Promise<Instance>
  /** SIGTERM, then SIGKILL after the grace. False: nothing to stop. */
  stop(instance: InstanceId, graceMs: number): Promise<boolean>
  /** Removes a stopped (or running) instance and what belongs to it alone. False: nothing to remove. */
  remove(instance: InstanceId): Promise<boolean>
  /** One of this state folder as it is now: its address read anew. Undefined: it is not there, or another's. */
  find(id: InstanceId): Promise<Instance | undefined>
  /** One as it is now, then at each change of its state or address. Ends when it is gone, or the signal aborts. */
  watch(id: InstanceId, signal: AbortSignal): AsyncIterable<Instance>
  /** What there is of one demo, in every state. */
  instancesOf(demo: DemoId): Promise<readonly Instance[]>
  /**
   * Everything of this state folder, in every state; survives a restart of the daemon. Only rounds ask it, and a daemon
   * that ends all.
   */
  list(): Promise<readonly Instance[]>
  images(): Promise<readonly Image[]>
  removeImage(image: ImageRef): Promise<boolean>
  /** Removes what a demo had besides instances and images: its network, its folder. */
  forget(demo: DemoId): Promise<void>
  /**
   * Follows an instance's output from `after` until it exits or the signal aborts. `cursor` continues after that line.
   */
  logs(
    instance: InstanceId,
    after: LogCursor | undefined,
    signal: AbortSignal,
  ): AsyncIterable<LogLine & { cursor: LogCursor }>
  /** Every exit from now on, until the signal aborts. May miss some: reconciling finds them. */
  exits(signal: AbortSignal): AsyncIterable<InstanceExit>
}

export interface BuildRequest {
  readonly demo: DemoId
  readonly deployment: DeploymentId
  /** A checkout without `.git`. The engine may read it, not keep it. */
  readonly folder: string
  readonly manifest: Manifest
  /** Takes a line; the build waits until it resolves. */
  readonly onLog: (line: LogLine) => void | Promise<void>
}

export interface StartRequest {
  readonly demo: DemoId
  readonly deployment: DeploymentId
  readonly image: ImageRef
  readonly spec: InstanceSpec
}
