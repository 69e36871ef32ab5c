import { setTimeout } from 'node:timers/promises'
import type { LogLine } from './log-line.ts'

const batchMs = 50
const batchLines = 4000
/** Characters. Each batch opens the log anew. */
const batchLength = 1024 ** 2

/**
 * Lines, a few at a time: those that come within 50 ms, and no more than fit a batch. While a batch is being written
 * nothing but one line is read ahead.
 */
export async function* batches<Line extends LogLine>(lines: AsyncIterable<Line>): AsyncIterable<[Line, ...Line[]]> {
  const iterator = lines[Symbol.asyncIterator]()
  const ask = () => {
    const next = iterator.next()
    // A batch may be being written while this fails: who asks for the next one is told.
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
      // It rejects when the batch is full, and nobody waits for it any more.
      const due = setTimeout(batchMs, undefined, { ref: false, signal: full.signal }).catch(() => undefined)
      while (batch.length < batchLines && length < batchLength) {
        // What failed ends this batch; whoever asks for the next one is told.
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
