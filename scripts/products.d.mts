export interface Product {
  readonly name: 'page' | 'runtime' | 'web' | 'command'
  /** Vite's configuration. */
  readonly config: string
  /** The folders and files that it is built from. */
  readonly from: readonly string[]
}

/** What the sources of a product are: as their folders show them, and their contents. */
export interface Stamp {
  readonly seen: string
  readonly hash: string
}

export const products: readonly Product[]
export function buildStale(names?: readonly Product['name'][]): Promise<void>
export function isFresh(product: Product): boolean
export function stampOf(from: Product['from']): Stamp
export function writeStamp(name: Product['name'], stamp: Stamp): void
