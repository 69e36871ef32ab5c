/** One thing that is wrong with an input. `field` is absent when it is the input as a whole. */
export interface Problem {
  readonly field?: string
  /** `value_error.missing`, `value_error.extra`, `value_error`, `value_error.too_large` (413). */
  readonly type: string
  readonly message: string
}

/** The input does not fit the demo's schema. HTTP 422, or 413 when something is too large. */
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

/** No more predictions are taken just now. HTTP 429 with Retry-After. */
export class Full extends Error {
  override readonly name = 'Full'
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The demo is not there to take a prediction: stopped, removed, or its setup failed. HTTP 503. */
export class Gone extends Error {
  override readonly name = 'Gone'
}
