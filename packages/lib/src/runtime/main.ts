const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

// Loaded after signals are heard: as the first process of a container nothing else ends this one.
const { serveBundle } = await import('./bundled.ts')
try {
  await serveBundle(stop.signal)
} catch (error) {
  // What is wrong with a variable or `.origami` is for who wrote it: where in here it was seen tells them nothing.
  const isTheirs = error instanceof Error && ['SettingError', 'ManifestError'].includes(error.name)
  console.error(isTheirs ? error.message : error)
  process.exitCode = 1
}

/**
 * What keeps the process although all is closed, such as the fetch of an address that a caller gave, is given no
 * longer.
 */
const lingerMs = 500
setTimeout(() => process.exit(), lingerMs).unref()
