import { join } from 'node:path'

/** In a checkout, builds the pages and the runtime where they changed; the Python package carries them built. */
export async function ensureBuilt(): Promise<void> {
  if (!import.meta.url.endsWith('.ts')) return
  const script = join(import.meta.dirname, '../../../scripts/build.ts')
  const { buildAll } = (await import(script)) as { buildAll(): Promise<void> }
  await buildAll()
}
