import { join } from 'node:path'

/**
 * Builds the pages and the runtime in a checkout when their sources changed. The Python package contains them already
 * built.
 */
export async function ensureBuilt(): Promise<void> {
  if (!import.meta.url.endsWith('.ts')) return
  const script = join(import.meta.dirname, '../../../scripts/build.ts')
  const { buildAll } = (await import(script)) as { buildAll(): Promise<void> }
  await buildAll()
}
