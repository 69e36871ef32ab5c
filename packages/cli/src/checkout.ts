import { join } from 'node:path'

/** The folder of the checkout. It is as far from here, in `src`, as from the command that is built, in `dist`. */
export const checkoutFolder = join(import.meta.dirname, '../../..')
