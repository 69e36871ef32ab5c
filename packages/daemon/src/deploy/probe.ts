import { type Dispatcher, request } from 'undici'
import { z } from 'zod'

/** Of one answer: far above what a runtime says, far below what hurts. */
const maxBytes = 4 * 1024 ** 2

/** Nobody answers there (yet), or not within the deadline. */
export const silent = Symbol('silent')
/** Something answers, but not as a runtime does. */
export const stranger = Symbol('stranger')

export interface Probe {
  readonly endpoint: string
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

const index = z.object({ origami: z.object({ api: z.literal(1) }) })

/** Asks an instance for one JSON document of its API: within a deadline, under a cap of bytes, by its shape. */
export async function probe<Answer>(
  { endpoint, deadlineMs, signal }: Probe,
  path: string,
  shape: z.ZodType<Answer>,
): Promise<Answer | typeof silent | typeof stranger> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
  try {
    const { body } = await request(endpoint + path, { headers: { accept: 'application/json' }, signal: within })
    const parsed = shape.safeParse(JSON.parse(await text(body)))
    return parsed.success ? parsed.data : stranger
  } catch (error) {
    return error instanceof SyntaxError || error instanceof TooLong ? stranger : silent
  }
}

/** Whether it is a runtime that speaks our API, by its index. */
export async function isRuntime(instance: Probe): Promise<boolean | typeof silent> {
  const answer = await probe(instance, '/', index)
  return answer === silent ? silent : answer !== stranger
}

class TooLong extends Error {}

async function text(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw new TooLong(`expected at most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
