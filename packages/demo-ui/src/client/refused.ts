import type { Problem } from '@origami/protocol/demo'

/** The server answered no. `problems` name fields where it said which. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  readonly problems: readonly Problem[]
  readonly retryAfterSeconds: number | undefined
  constructor(status: number, message: string, problems: readonly Problem[], retryAfterSeconds?: number) {
    super(message)
    this.status = status
    this.problems = problems
    this.retryAfterSeconds = retryAfterSeconds
  }
}

interface Detail {
  loc?: readonly (string | number)[]
  msg?: string
  type?: string
}

/** Reads an answer that is not 2xx: FastAPI's `{detail: […]}`, our `{error}`, or whatever a proxy in between wrote. */
export function refusal(status: number, text: string, retryAfter: string | null): Refused {
  const answer = parse(text) as { detail?: unknown; error?: unknown; message?: unknown } | undefined
  const detail = Array.isArray(answer?.detail) ? (answer.detail as Detail[]) : []
  const problems = detail.map(problemOf)
  const words =
    problems.find(({ field }) => field === undefined)?.message ?? first(answer?.error, answer?.detail, answer?.message)
  const seconds = Number.parseInt(retryAfter ?? '', 10)
  return new Refused(status, words ?? byStatus(status), problems, Number.isNaN(seconds) ? undefined : seconds)
}

function problemOf({ loc, msg, type }: Detail): Problem {
  const field = loc?.[2]
  const said = { type: type ?? 'value_error', message: msg ?? 'was not taken' }
  return typeof field === 'string' ? { ...said, field } : said
}

const first = (...words: unknown[]) => words.find((word): word is string => typeof word === 'string' && word !== '')

function byStatus(status: number): string {
  if (status === 404) return 'There is no demo at this address any more.'
  if (status === 413) return 'This is more than the demo takes.'
  if (status === 429) return 'Too many wait already.'
  if (status >= 500) return 'The demo cannot be reached just now.'
  return `The server answered ${status}.`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
