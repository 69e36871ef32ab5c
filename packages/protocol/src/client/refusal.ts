import type { Problem } from '../demo/errors.ts'

/** An answer whose body was not read yet: a `Response`, or the same of another HTTP client. */
export interface Unread {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

/** What a server says when it refuses a request. */
interface Said {
  /** The server's message for people. Undefined when it gave none. */
  readonly serverMessage: string | undefined
  /** The address to which a browser must go first, to ask a forge. */
  readonly authorize: string | undefined
  /** The reason in a form for programs. */
  readonly reason: string | undefined
  /** The problems of single inputs, if the server named them. */
  readonly problems: readonly Problem[]
  readonly retryAfterSeconds: number | undefined
}

/** A server answered and refused the request. The message is the server's own, if it gave one. */
export class Refusal extends Error implements Said {
  override readonly name = 'Refusal'
  readonly status: number
  readonly serverMessage: string | undefined
  readonly authorize: string | undefined
  readonly reason: string | undefined
  readonly problems: readonly Problem[]
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, said: Said, fallback: (status: number) => string) {
    super(said.serverMessage ?? fallback(status))
    this.status = status
    this.serverMessage = said.serverMessage
    this.authorize = said.authorize
    this.reason = said.reason
    this.problems = said.problems
    this.retryAfterSeconds = said.retryAfterSeconds
  }
}

const answered = (status: number): string => `The server answered ${status}.`

/**
 * Reads an answer that is not 2xx: our `{error, authorize, reason}`, FastAPI's `{detail: […]}`, or whatever a proxy
 * wrote. No field is assumed to exist. `fallback` makes the message when there is none.
 */
export async function readRefusal(answer: Unread, fallback = answered): Promise<Refusal> {
  // An answer that breaks off is still a refusal, because its status arrived.
  const text = await answer.text().catch(() => '')
  return refusalOf(answer.status, text, answer.headers.get('retry-after'), fallback)
}

/** The same as readRefusal for a body that was read already. `retryAfter` is the value of that header. */
export function refusalOf(status: number, text: string, retryAfter: string | null, fallback = answered): Refusal {
  const { error, id, authorize, reason, detail, message } = fields(parse(text))
  const problems = Array.isArray(detail) ? detail.map((one) => problemOf(fields(one))) : []
  const general = problems.find(({ field }) => field === undefined)?.message
  const said = {
    serverMessage: general ?? [withId(error, id), detail, message].map(textOf).find((text) => text !== undefined),
    authorize: textOf(authorize),
    reason: textOf(reason),
    problems,
    retryAfterSeconds: /^\d{1,9}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined,
  }
  return new Refusal(status, said, fallback)
}

/** Adds the id under which the server logged the error. */
const withId = (error: unknown, id: unknown): unknown => (textOf(error) && textOf(id) ? `${error} (${id})` : error)

/** One problem in FastAPI's form `{loc: ['body', 'input', field], msg, type}`. */
function problemOf({ loc, msg, type }: Readonly<Record<string, unknown>>): Problem {
  const field = textOf(Array.isArray(loc) ? loc[2] : undefined)
  const said = { type: textOf(type) ?? 'value_error', message: textOf(msg) ?? 'was not taken' }
  return field === undefined ? said : { ...said, field }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const fields = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // It is the page of a proxy, for example, and only its status is used.
    return undefined
  }
}
