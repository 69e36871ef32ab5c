import { Full, Gone, Invalid } from '@origami/protocol/demo'
import { z } from 'zod'

const refusalBody = z.object({
  detail: z.array(z.object({ loc: z.array(z.unknown()), msg: z.string(), type: z.string() })).optional(),
  error: z.string().optional(),
})

/** How many characters of a server's own words are logged. */
const wordsLength = 300

/** The server reported an internal error. Whether it did what was asked is not known. */
export class ServerFault extends Error {
  override readonly name = 'ServerFault'
}

/**
 * The server gave an answer that its API does not have. What became of the request is not known, and repeating it would
 * not help.
 */
export class Misbehaved extends Error {
  override readonly name = 'Misbehaved'
}

/**
 * The error for an answer with a status of 300 or above: Invalid, Full, Gone, ServerFault or Misbehaved. `name` is
 * what it calls the server, `retryAfter` the value of that header, in seconds.
 */
export function answerError(name: string, status: number, text: string, retryAfter?: unknown): Error {
  const { detail, error } = read(text)
  if ((status === 422 || status === 413) && detail)
    return new Invalid(
      detail.map(({ loc, msg, type }) => ({
        ...(typeof loc[2] === 'string' ? { field: loc[2] } : {}),
        message: msg,
        type,
      })),
    )
  if (status === 413) return new Invalid([{ type: 'value_error.too_large', message: error ?? 'it is too large' }])
  if (status === 429) return new Full(error ?? 'the queue is full', secondsOf(retryAfter) ?? 5)
  if (status === 507) return new Full(error ?? 'there is no room to store it', secondsOf(retryAfter) ?? 60, 'storage')
  if (status === 503) return new Gone(error ?? `${name} takes no predictions`)
  // It goes to a log, where a stranger's words must be short, and make no other line.
  const said = `${name} answered ${status}${error ? `: ${JSON.stringify(error.slice(0, wordsLength))}` : ''}`
  return status >= 500 ? new ServerFault(said) : new Misbehaved(said)
}

function read(text: string): z.infer<typeof refusalBody> {
  try {
    return refusalBody.parse(JSON.parse(text))
  } catch {
    // It is no JSON of ours, and only its status is used.
    return {}
  }
}

/** Undefined: it is no number of seconds that is worth waiting. */
const secondsOf = (header: unknown): number | undefined =>
  typeof header === 'string' && /^[0-9]{1,4}$/.test(header) ? Number(header) : undefined
