/**
 * Reads on, and hands out what was told last: the first time it waits for something to be told. Undefined: it ended.
 * Throws what reading failed with.
 */
export function latest<Value>(source: AsyncIterable<Value>): () => Promise<Value | undefined> {
  let last: Value | undefined
  const first = Promise.withResolvers<void>()
  const reading = (async () => {
    for await (const value of source) {
      last = value
      first.resolve()
    }
    last = undefined
  })()
  let failed: { error: unknown } | undefined
  // Who asks next is told.
  const ended = reading.catch((error: unknown) => {
    failed = { error }
  })
  return async () => {
    await Promise.race([first.promise, ended])
    if (failed) throw failed.error
    return last
  }
}
