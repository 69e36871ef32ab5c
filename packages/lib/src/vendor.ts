import { existsSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname

/** Run from source. */
export const inCheckout = import.meta.url.endsWith('.ts')

/**
 * Where what a bundle carries stands: as built, in a checkout; in a bundle beside what runs; under `vendor` beside the
 * command of the Python package.
 */
export const vendor = inCheckout
  ? join(here, '../dist/vendor')
  : existsSync(join(here, 'vendor'))
    ? join(here, 'vendor')
    : here
