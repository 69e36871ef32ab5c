import { setTimeout } from 'node:timers/promises'
import type { LogLine } from './log-line.ts'

const batchMs = 50
const batchLines = 4000
/** In characters. Each batch opens the log anew. */
const batchLength = 1024 ** 2

/**
 * Groups lines into batches: those that come within 50 ms, and no more than fit one batch. While a batch is being
 * written only one more line is read. Who leaves the loop early waits for that line, unless they abort its read.
 */
export async function* batches<Line extends LogLine>(lines: AsyncIterable<Line>): AsyncIterable<[Line, ...Line[]]> {
  const iterator = lines[Symbol.asyncIterator]()
  const ask = () => {
    const next = iterator.next()
    // A batch may be in writing when this fails. The error reaches the caller that asks for the next batch.
    next.catch(() => undefined)
    return next
  }
  try {
    let next = ask()
    for (;;) {
      const first = await next
      if (first.done) return
      const batch: [Line, ...Line[]] = [first.value]
      let length = first.value.text.length
      next = ask()
      const full = new AbortController()
      // This wait rejects when the batch is full, and then nobody waits for it any more.
      const due = setTimeout(batchMs, undefined, { ref: false, signal: full.signal }).catch(() => undefined)
      while (batch.length < batchLines && length < batchLength) {
        // A failure ends this batch. The error reaches the caller that asks for the next batch.
        const more = await Promise.race([next.catch(() => undefined), due])
        if (!more || more.done) break
        batch.push(more.value)
        length += more.value.text.length
        next = ask()
      }
      full.abort()
      yield batch
    }
  } finally {
    await iterator.return?.()
  }
}
