/**
 * What a person did or has that cannot work. The message says what was expected, what came and what to do next; no
 * stack is shown.
 */
export class Failure extends Error {
  override readonly name: string = 'Failure'
  /** The HTTP status, when a server refused. */
  readonly status: number | undefined
  /** The server's word for why, for programs. */
  readonly reason: string | undefined
  constructor(
    message: string,
    { status, reason, cause }: { status?: number; reason?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.reason = reason
  }
}

/** Nobody answers at the server's address, now: it may be starting again. */
export class Unreachable extends Failure {
  override readonly name = 'Unreachable'
}
