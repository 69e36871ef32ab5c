import type { RepoLink } from '@origami/protocol/control'
import type { LogLine } from '../logs/log-line.ts'

/** A token, only ever handed on by environment. */
export type Secret = string

export interface TreeLimits {
  readonly bytes: number
  readonly files: number
}

/**
 * The repository or commit is not to be had. The message is for people, and has no secret in it. State `clone_failed`.
 */
export class SourceError extends Error {
  override readonly name = 'SourceError'
}

/** Where code comes from. */
export interface Source {
  /**
   * The commit that `ref` (the default branch when absent) points to. Throws SourceError (`not found` for what the
   * token may not see).
   */
  resolve(
    request: { repo: RepoLink; ref?: string; token?: Secret | undefined },
    signal: AbortSignal,
  ): Promise<{ commit: string }>
  /**
   * Lays the commit's tree, without `.git`, into the empty folder `into`, and tells the first line of its message.
   * The token is nowhere afterwards. Throws SourceError.
   */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<{ message: string }>
}

export interface FetchRequest {
  readonly repo: RepoLink
  readonly commit: string
  readonly token?: Secret | undefined
  readonly into: string
  readonly limits: TreeLimits
  /** Takes a line; git waits until it resolves. */
  readonly onLog: (line: LogLine) => void | Promise<void>
}
