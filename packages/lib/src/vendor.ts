import { existsSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname

/** Whether this runs from source. */
export const inCheckout = import.meta.url.endsWith('.ts')

/**
 * The folder of what a bundle contains: the built files in a checkout, the bundle itself in a bundle, and `vendor`
 * beside the command in the Python package.
 */
export const vendor = inCheckout
  ? join(here, '../dist/vendor')
  : existsSync(join(here, 'vendor'))
    ? join(here, 'vendor')
    : here
