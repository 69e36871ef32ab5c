import type { RepoLink } from '@origami/protocol/control'
import type { LogLine } from '../logs/log-line.ts'

/** A token. It is only ever passed on through the environment. */
export type Secret = string

/** What a repository may cost. */
export interface FetchLimits {
  readonly bytes: number
  /** Files, links and folders together. */
  readonly files: number
  /** Of a path within the repository. */
  readonly pathBytes: number
  /** The address space of each process of git. */
  readonly memoryBytes: number
  /** The processor time of each process of git. */
  readonly cpuMs: number
}

/**
 * The repository or commit cannot be fetched. The message is for people and contains no secret. State `clone_failed`.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError'
}

/** Where the code of demos comes from. */
export interface Source {
  /**
   * Writes a commit's tree without `.git` into the empty folder `into`. The token is stored nowhere. Throws SourceError
   * (`not found` for what the token may not see).
   */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<FetchedCommit>
}

export interface FetchedCommit {
  /** Its hash. */
  readonly commit: string
  /** The first line of its message. */
  readonly message: string
}

export interface FetchRequest {
  readonly repo: RepoLink
  /** Undefined: the newest of the default branch. */
  readonly commit?: string | undefined
  readonly token?: Secret | undefined
  readonly into: string
  readonly limits: FetchLimits
  /** Receives a line. Git waits until the promise resolves. */
  readonly onLog: (line: LogLine) => void | Promise<void>
}
