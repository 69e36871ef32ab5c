/**
 * An error that a person can correct. The message says what was expected, what came and what to do next. No stack is
 * shown.
 */
export class Failure extends Error {
  override readonly name: string = 'Failure'
  /** The HTTP status, when a server refused the request. */
  readonly status: number | undefined
  /** The server's reason in a form for programs. */
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

/** Nobody answers at the server's address now. The server may be restarting. */
export class Unreachable extends Failure {
  override readonly name = 'Unreachable'
}
