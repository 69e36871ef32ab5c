import type { DemoId, DeploymentId, Manifest, NetworkPolicy } from '@origami/protocol/demo'
import type { Limits } from '../config.ts'
import type { LogLine } from '../logs/log-line.ts'
import type { Guarantees } from './guarantees.ts'

declare const brand: unique symbol
/** The result of a build in the engine's own terms: an image id, or the path of a prepared folder. */
export type ImageRef = string & { readonly [brand]: 'ImageRef' }
/** One running copy of an image, by the engine's own name for it. */
export type InstanceId = string & { readonly [brand]: 'InstanceId' }

/** The position from which reading an instance's log continues. `logs` makes it, and nobody else interprets it. */
export type LogCursor = string

/** The limits that an operator sets for an engine. They may change, so they are read where they are used. */
export type EngineLimits = Pick<
  Limits,
  | 'engineMs'
  | 'killMs'
  | 'logLineBytes'
  | 'unreadLogBytes'
  | 'buildCacheBytes'
  | 'imageBytes'
  | 'buildMemoryBytes'
  | 'buildCpus'
  | 'buildPids'
  | 'demoNetwork'
  | 'buildNetwork'
  | 'mirrors'
>

export interface InstanceSpec {
  /** The name of the demo when its model sets none: the repository's name. */
  readonly name: string
  /** The largest JSON body and the largest file, in bytes, that the instance accepts. */
  readonly bodyBytes: number
  readonly fileBytes: number
  /** The port on which the demo listens inside its container. */
  readonly port: number
  readonly memoryBytes: number
  readonly cpus: number
  /** The largest number of processes and threads. */
  readonly pids: number
  /** The size of `/tmp`, and whether what is written there may be run, where the engine has one for the instance. */
  readonly tmpBytes: number
  readonly tmpExec: boolean
  /** What the instance may reach, where the engine can keep it from more. */
  readonly network: NetworkPolicy
}

export interface Instance {
  readonly id: InstanceId
  readonly demo: DemoId
  readonly deployment: DeploymentId
  readonly image: ImageRef
  /** `created`: made but not started, because its start failed or is still under way, or the daemon died before it. */
  readonly state: 'created' | 'running' | 'exited'
  /** `http://127.0.0.1:port`, read anew each time. Undefined until the instance listens, and after it exited. */
  readonly endpoint: string | undefined
  /** Only set when the instance exited. */
  readonly exit?: InstanceExit
}

/** A folder on this host whose files the runtime of an instance sees. */
export interface InputFolder {
  readonly path: string
  /** Whether an instance cannot write there, so that what is kept may be linked into it. */
  readonly isReadOnly: boolean
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

/**
 * The bundle is at fault, found before any of its code ran: it has no Dockerfile or no vendored runtime, for example.
 * State `config_error`.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** The build ran and failed. Its log says why. State `build_failed`. */
export class BuildError extends Error {
  override readonly name = 'BuildError'
}

/**
 * Builds and runs demos. There is one implementation for each place where demos can run. No vendor's type is part of
 * this interface.
 */
export interface Engine extends AsyncDisposable {
  readonly name: string
  readonly guarantees: Guarantees
  /** Why demos are not kept from this host and its network, for people. Undefined: they are, as far as is known. */
  readonly unisolated: string | undefined
  /**
   * Checks that the engine can work at all (that Docker answers, for example). The error that it throws says what to
   * do.
   */
  ready(signal: AbortSignal): Promise<void>
  /**
   * The folder on this host in which images are built, where it is not in the state folder. Undefined: it is, or it is
   * on another host.
   */
  imageStore(signal: AbortSignal): Promise<string | undefined>
  /**
   * Idempotent for each deployment: an image that an interrupted daemon has built already is returned. Throws
   * ConfigError or BuildError.
   */
  build(request: BuildRequest, signal: AbortSignal): Promise<ImageRef>
  /** Removes what builds have cached and no build uses now, because the disk has no room for the next one. */
  dropCaches(signal: AbortSignal): Promise<void>
  /** Idempotent for each deployment: an instance that exists for it already is returned. */
  start(request: StartRequest, signal: AbortSignal): Promise<Instance>
  /** Sends SIGTERM, and SIGKILL after the grace. False: there was nothing to stop. */
  stop(instance: InstanceId, graceMs: number): Promise<boolean>
  /** Removes an instance, running or not, and what belongs to it alone. False: there was nothing to remove. */
  remove(instance: InstanceId): Promise<boolean>
  /**
   * The present state of an instance of this state folder, with its current address. Undefined: there is none, or it is
   * another folder's.
   */
  find(id: InstanceId): Promise<Instance | undefined>
  /**
   * Yields an instance as it is now, and again at each change of its state or address. Ends when it is gone or the
   * signal aborts.
   */
  watch(id: InstanceId, signal: AbortSignal): AsyncIterable<Instance>
  /**
   * The folder into which the inputs of an instance are put. It is made at the start and removed with the instance.
   * Undefined: there is none, and instances get their inputs over HTTP.
   */
  inputFolder(demo: DemoId, deployment: DeploymentId): InputFolder | undefined
  /** The instances of one demo, in every state. */
  instancesOf(demo: DemoId): Promise<readonly Instance[]>
  /**
   * All instances of this state folder, in every state, also those that an earlier daemon started. Only rounds use it,
   * and a daemon that ends everything.
   */
  list(): Promise<readonly Instance[]>
  images(): Promise<readonly Image[]>
  removeImage(image: ImageRef): Promise<boolean>
  /**
   * Sets anew what keeps demos from the host's network, since others may have removed it. Every round calls it. A
   * failure is logged.
   */
  isolate(): Promise<void>
  /** Removes what a demo has besides instances and images: its network or its folder. */
  forget(demo: DemoId): Promise<void>
  /**
   * Follows an instance's output from `after` until it exits or the signal aborts. The `cursor` of a line continues
   * after that line.
   */
  logs(
    instance: InstanceId,
    after: LogCursor | undefined,
    signal: AbortSignal,
  ): AsyncIterable<LogLine & { cursor: LogCursor }>
  /** Every exit from now on, until the signal aborts. It may miss some, which reconciling finds. */
  exits(signal: AbortSignal): AsyncIterable<InstanceExit>
}

export interface BuildRequest {
  readonly demo: DemoId
  readonly deployment: DeploymentId
  /** The account that deploys. What its builds leave in a cache is read by no build of another one. */
  readonly user: string
  /** A checkout without `.git`. The engine may read it and must not keep it. */
  readonly folder: string
  readonly manifest: Manifest
  /** Receives the images that it was built on, each with its id or digest, once it is built. */
  readonly onBaseImages?: (images: readonly string[]) => void
  /** Receives a line. The build waits until the promise resolves. */
  readonly onLog: (line: LogLine) => void | Promise<void>
}

export interface StartRequest {
  readonly demo: DemoId
  readonly deployment: DeploymentId
  readonly image: ImageRef
  readonly spec: InstanceSpec
}
