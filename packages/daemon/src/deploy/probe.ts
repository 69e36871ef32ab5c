import { type Dispatcher, request } from 'undici'
import { z } from 'zod'

/** The largest answer in bytes: far more than a runtime sends, and little enough to hold in memory. */
const maxBytes = 4 * 1024 ** 2

/** Nothing answers there yet, or not in time. */
export const silent = Symbol('silent')
/** Something answers, but it is no runtime of ours. */
export const stranger = Symbol('stranger')

export interface Probe {
  readonly endpoint: string
  readonly deadlineMs: number
  readonly signal: AbortSignal
}

const index = z.object({ origami: z.object({ api: z.literal(1) }) })

/** Asks an instance for one JSON document of its API, with a deadline and a limit of bytes, and checks its shape. */
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

/** Whether the instance is a runtime that speaks our API, judged by its index. */
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
