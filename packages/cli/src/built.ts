import { join } from 'node:path'
import { checkoutFolder } from './checkout.ts'

/**
 * Builds the pages and the runtime in a checkout when their sources changed. The command that is built has them
 * already.
 */
export async function ensureBuilt(): Promise<void> {
  if (!import.meta.url.endsWith('.ts')) return
  const products = join(checkoutFolder, 'scripts/products.mjs')
  const { buildStale } = (await import(products)) as { buildStale(names: readonly string[]): Promise<void> }
  await buildStale(['page', 'runtime', 'web'])
}
