const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())

// Loaded after signals are heard: as the first process of a container nothing else ends this one.
const { serveBundle } = await import('./bundled.ts')
await serveBundle(stop.signal)

/** What keeps the process although all is closed, such as the fetch of an address that a caller gave, is given no longer. */
const lingerMs = 500
setTimeout(() => process.exit(), lingerMs).unref()
