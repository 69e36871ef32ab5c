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

/**
 * No more is accepted now. Answered with HTTP 429 and Retry-After, or with 507 and Retry-After when there is no room to
 * store it.
 */
export class Full extends Error {
  override readonly name = 'Full'
  readonly retryAfterSeconds: number
  readonly of: 'queue' | 'storage'
  constructor(message: string, retryAfterSeconds: number, of: 'queue' | 'storage' = 'queue') {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
    this.of = of
  }
}

/** The demo cannot accept a prediction: it was stopped or removed, or its setup failed. Answered with HTTP 503. */
export class Gone extends Error {
  override readonly name = 'Gone'
}
