/** One problem of an input. `field` is absent when it concerns the whole input. */
export interface Problem {
  readonly field?: string
  /** `value_error.missing`, `value_error.extra`, `value_error`, `value_error.too_large` (413). */
  readonly type: string
  readonly message: string
}

/** The input does not fit the demo's schema. Answered with HTTP 422, or 413 when something is too large. */
export class Invalid extends Error {
  override readonly name = 'Invalid'
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[]) {
    super(
      problems.map((problem) => (problem.field ? `${problem.field}: ${problem.message}` : problem.message)).join('; '),
    )
    this.problems = problems
  }
}

/** No more predictions are accepted now. Answered with HTTP 429 and Retry-After. */
export class Full extends Error {
  override readonly name = 'Full'
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The demo cannot accept a prediction: it was stopped or removed, or its setup failed. Answered with HTTP 503. */
export class Gone extends Error {
  override readonly name = 'Gone'
}
