const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

// Imported after the signal handlers are set, because nothing else ends the first process of a container.
const { serveBundle } = await import('./bundled.ts')
try {
  await serveBundle(stop.signal)
} catch (error) {
  // An error in a variable or in `.origami` is for the person who wrote it, and a stack trace would not help them.
  const isTheirs = error instanceof Error && ['SettingError', 'ManifestError'].includes(error.name)
  console.error(isTheirs ? error.message : error)
  process.exitCode = 1
}

/** How long something that is still open after the end, such as a fetch from a caller's URL, may keep the process. */
const lingerMs = 500
setTimeout(() => process.exit(), lingerMs).unref()
