import { logger } from '@origami/host/logger'
import { Lines } from '../../logs/lines.ts'

const log = logger('engine')

const maxBytes = 16 * 1024 ** 2

/**
 * The objects in an answer of Docker's that has one JSON object on each line. A line that is none (incomplete, or too
 * long) is logged and skipped.
 */
export async function* jsonLines(answer: AsyncIterable<Uint8Array>): AsyncIterable<{ line: string; value: object }> {
  const lines = new Lines({ maxBytes })
  for await (const bytes of answer) for (const line of lines.push(bytes)) yield* parsed(line)
  for (const line of lines.end()) yield* parsed(line)
}

function* parsed(line: string): Iterable<{ line: string; value: object }> {
  if (line.trim() === '') return
  const value = objectOf(line)
  if (value) yield { line, value }
  else log.error(`Docker sent a line that is not a JSON object; it is passed over: ${line.slice(0, 200)}`)
}

function objectOf(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    // The caller logs the line.
    return undefined
  }
}
