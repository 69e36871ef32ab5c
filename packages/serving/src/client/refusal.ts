import { Full, Gone, Invalid } from '@origami/protocol/demo'
import { z } from 'zod'

const refusalBody = z.object({
  detail: z.array(z.object({ loc: z.array(z.unknown()), msg: z.string(), type: z.string() })).optional(),
  error: z.string().optional(),
})

/** It answered that something is wrong with itself: whether it did what it was asked is not known. */
export class ServerFault extends Error {
  override readonly name = 'ServerFault'
}

/**
 * It answered what its API never does: what becomes of what it was asked is not known, and asking again would not tell.
 */
export class Misbehaved extends Error {
  override readonly name = 'Misbehaved'
}

/**
 * An answer of 300 and above as the error it stands for: Invalid, Full, Gone, ServerFault, or Misbehaved.
 * `retryAfter`: what its header says, in seconds.
 */
export function answerError(base: string, status: number, text: string, retryAfter?: unknown): Error {
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
  if (status === 503) return new Gone(error ?? `${base} takes no predictions`)
  const said = `${base} answered ${status}${error ? `: ${error}` : ''}`
  return status >= 500 ? new ServerFault(said) : new Misbehaved(said)
}

function read(text: string): z.infer<typeof refusalBody> {
  try {
    return refusalBody.parse(JSON.parse(text))
  } catch {
    // No JSON of ours: the status alone tells what it is.
    return {}
  }
}

/** Undefined: it is no number of seconds that anybody would wait. */
const secondsOf = (header: unknown): number | undefined =>
  typeof header === 'string' && /^[0-9]{1,4}$/.test(header) ? Number(header) : undefined
