import { finished, type Readable } from 'node:stream'

/** How much is taken ahead of the consumer. */
const aheadBytes = 256 * 1024

export interface Patience {
  /** The longest time without more bytes while the consumer waits for them. */
  readonly idleMs: number
  readonly error: () => Error
}

/**
 * Yields the bytes of a stream as they come, and takes up to `aheadBytes` ahead of the consumer. What came in one turn
 * of the event loop is one piece: TLS gives 16 KiB at a time, and each piece costs its way through both servers more
 * than the copy does. The stream is not destroyed when the consumer leaves. Throws the stream's error, or the one of
 * `patience`.
 */
export async function* inPieces(stream: Readable, patience?: Patience): AsyncIterable<Uint8Array> {
  let parts: Uint8Array[] = []
  let size = 0
  let waking: NodeJS.Immediate | undefined
  let end: { error: Error | null | undefined } | undefined
  let wake = () => {}
  const take = (part: Uint8Array): void => {
    parts.push(part)
    size += part.length
    if (size >= aheadBytes) stream.pause()
    waking ??= setImmediate(() => {
      waking = undefined
      wake()
    })
  }
  finished(stream, { writable: false }, (error) => {
    end = { error }
    wake()
  })
  stream.on('data', take)
  try {
    for (;;) {
      if (parts.length === 0 && !end) await within(patience, (resolve) => (wake = resolve))
      const came = parts
      if (came.length > 0) {
        parts = []
        size = 0
        stream.resume()
        yield joined(came)
      } else if (end?.error) throw end.error
      else if (end) return
    }
  } finally {
    clearImmediate(waking)
    stream.off('data', take).pause()
  }
}

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)

/** Resolves when the callback that `start` gets is called. Throws the error of `patience` when that takes too long. */
async function within(patience: Patience | undefined, start: (resolve: () => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  start(resolve)
  const timer = patience && setTimeout(() => reject(patience.error()), patience.idleMs)
  try {
    await promise
  } finally {
    clearTimeout(timer)
  }
}
