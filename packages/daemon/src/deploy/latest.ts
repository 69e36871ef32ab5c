/**
 * Keeps reading and returns the newest value, skipping older ones. The first call waits until there is a value.
 * Undefined: the source ended. Throws the error with which reading failed.
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
  // The next caller gets the error.
  const ended = reading.catch((error: unknown) => {
    failed = { error }
  })
  return async () => {
    await Promise.race([first.promise, ended])
    if (failed) throw failed.error
    return last
  }
}
