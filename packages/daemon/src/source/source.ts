import type { RepoLink } from '@origami/protocol/control'
import type { LogLine } from '../logs/log-line.ts'

/** A token. It is only ever passed on through the environment. */
export type Secret = string

export interface TreeLimits {
  readonly bytes: number
  readonly files: number
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
   * The commit that `ref` (by default the default branch) points to. Throws SourceError (`not found` for what the token
   * may not see).
   */
  resolve(
    request: { repo: RepoLink; ref?: string; token?: Secret | undefined },
    signal: AbortSignal,
  ): Promise<{ commit: string }>
  /**
   * Writes the commit's tree without `.git` into the empty folder `into`, and returns the first line of the commit's
   * message. The token is stored nowhere. Throws SourceError.
   */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<{ message: string }>
}

export interface FetchRequest {
  readonly repo: RepoLink
  readonly commit: string
  readonly token?: Secret | undefined
  readonly into: string
  readonly limits: TreeLimits
  /** Receives a line. Git waits until the promise resolves. */
  readonly onLog: (line: LogLine) => void | Promise<void>
}
