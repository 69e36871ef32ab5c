import type { WebLimits } from '../config.ts'

interface FetchCaps {
  /** The time until the last byte of an answer is read. */
  readonly deadlineMs: number
  readonly bytes: number
}

export type ForgeLimits = Pick<WebLimits, 'forgeAnswerMs' | 'forgeAnswerBytes' | 'repositories'>

export const forgeCaps = ({ forgeAnswerMs, forgeAnswerBytes }: ForgeLimits): FetchCaps => ({
  deadlineMs: forgeAnswerMs,
  bytes: forgeAnswerBytes,
})

/** A `fetch` that reads the whole answer, with a deadline and a limit of bytes. Throws when either is exceeded. */
export async function cappedFetch(
  url: string | URL,
  init: RequestInit | undefined,
  { deadlineMs, bytes }: FetchCaps,
): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(deadlineMs) })
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > bytes) throw new Error(`expected an answer of at most ${bytes} bytes, got more`)
    parts.push(part)
  }
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  // These bytes are already decoded, so the headers about their encoding no longer apply.
  for (const name of ['content-encoding', 'content-length']) headers.delete(name)
  const read = new Response(size > 0 ? new Blob(parts) : null, { status, statusText, headers })
  Object.defineProperty(read, 'url', { value: response.url })
  return read
}
